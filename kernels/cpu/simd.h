// The vector type of the kernels: kLanes floats, as wide as the instruction set this file is compiled for allows.
//
// Every source listed under IMPASTO_CPU_KERNELS in CMakeLists.txt is compiled once per instruction set, each time inside a namespace of
// its own (IMPASTO_ISA). Such sources use no function template of the standard library: an instance of std::min that the linker picked
// from the AVX-512 object would crash a machine without it.
//
// GCC's and Clang's vector extension supplies arithmetic, comparison and shuffles on all machines; intrinsics appear only where it has no
// word for an instruction: fused multiply-add, maximum with a chosen operand for NaN, and bit masks.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#ifndef IMPASTO_ISA
#error "compile with IMPASTO_ISA=<namespace of the instruction set>"
#endif

#define IMPASTO_INLINE inline __attribute__((always_inline))

namespace impasto::cpu::IMPASTO_ISA {

// Channels of one block of the layout, see layout.h.
inline constexpr int kBlock = 16;

#if defined(__AVX512F__)
inline constexpr int kLanes = 16;
#elif defined(__AVX2__)
inline constexpr int kLanes = 8;
#else
inline constexpr int kLanes = 4;
#endif
// Vectors that one block of channels takes.
inline constexpr int kParts = kBlock / kLanes;
// All of a vector's bits in the 16-bit word of a mask.
inline constexpr unsigned kPartBits = (1u << kLanes) - 1;

typedef float VecF __attribute__((vector_size(4 * kLanes)));
typedef std::int32_t VecI __attribute__((vector_size(4 * kLanes)));
typedef std::uint16_t VecW __attribute__((vector_size(4 * kLanes)));
typedef float UnalignedVecF __attribute__((vector_size(4 * kLanes), aligned(4), may_alias));
typedef std::int32_t UnalignedVecI __attribute__((vector_size(4 * kLanes), aligned(4), may_alias));
// Half as many lanes: what widens to one vector of doubles.
typedef float HalfF __attribute__((vector_size(2 * kLanes)));
typedef float UnalignedHalfF __attribute__((vector_size(2 * kLanes), aligned(4), may_alias));
typedef double VecD __attribute__((vector_size(4 * kLanes)));
typedef double UnalignedVecD __attribute__((vector_size(4 * kLanes), aligned(8), may_alias));

IMPASTO_INLINE VecF load(const float* p) { return *reinterpret_cast<const UnalignedVecF*>(p); }
IMPASTO_INLINE void store(float* p, VecF v) { *reinterpret_cast<UnalignedVecF*>(p) = v; }
// Past the cache: a line is not fetched to be written. p aligned to the vector. Other threads see it after finish_past_cache.
IMPASTO_INLINE void store_past_cache(float* p, VecF v) {
#if defined(__AVX512F__)
  _mm512_stream_ps(p, v);
#elif defined(__AVX2__)
  _mm256_stream_ps(p, v);
#elif defined(__x86_64__)
  _mm_stream_ps(p, v);
#else
  store(p, v);
#endif
}
IMPASTO_INLINE void finish_past_cache() {
#if defined(__x86_64__)
  _mm_sfence();
#endif
}
IMPASTO_INLINE VecF broadcast(float x) { return x - VecF{}; }
// kLanes / 2 floats as doubles. (Left to itself, GCC 12 converts 256 bits at a time under AVX-512 and glues the halves together.)
IMPASTO_INLINE VecD load_wide(const float* p) {
#if defined(__AVX512F__)
  return _mm512_cvtps_pd(_mm256_loadu_ps(p));
#else
  return __builtin_convertvector(*reinterpret_cast<const UnalignedHalfF*>(p), VecD);
#endif
}
IMPASTO_INLINE VecD load_double(const double* p) { return *reinterpret_cast<const UnalignedVecD*>(p); }
IMPASTO_INLINE void store_double(double* p, VecD v) { *reinterpret_cast<UnalignedVecD*>(p) = v; }
IMPASTO_INLINE void store_narrow(float* p, VecD v) {
#if defined(__AVX512F__)
  _mm256_storeu_ps(p, _mm512_cvtpd_ps(v));
#else
  *reinterpret_cast<UnalignedHalfF*>(p) = __builtin_convertvector(v, HalfF);
#endif
}

// a * b + c
IMPASTO_INLINE VecF multiply_add(VecF a, VecF b, VecF c) {
#if defined(__AVX512F__)
  return _mm512_fmadd_ps(a, b, c);
#elif defined(__AVX2__)
  return _mm256_fmadd_ps(a, b, c);
#elif defined(__aarch64__)
  return vfmaq_f32(c, a, b);
#else
  return a * b + c;
#endif
}
IMPASTO_INLINE VecD multiply_add(VecD a, VecD b, VecD c) {
#if defined(__AVX512F__)
  return _mm512_fmadd_pd(a, b, c);
#elif defined(__AVX2__)
  return _mm256_fmadd_pd(a, b, c);
#elif defined(__aarch64__)
  return vfmaq_f64(c, a, b);
#else
  return a * b + c;
#endif
}
IMPASTO_INLINE VecF multiply_add(float a, VecF b, VecF c) { return multiply_add(broadcast(a), b, c); }

// The larger; b where either is NaN (on x86).
IMPASTO_INLINE VecF larger(VecF a, VecF b) {
#if defined(__AVX512F__)
  return _mm512_max_ps(a, b);
#elif defined(__AVX2__)
  return _mm256_max_ps(a, b);
#elif defined(__x86_64__)
  return _mm_max_ps(a, b);
#elif defined(__aarch64__)
  return vmaxq_f32(a, b);
#else
  return a > b ? a : b;
#endif
}
// max(v, 0), NaN stays NaN.
IMPASTO_INLINE VecF rectified(VecF v) { return larger(VecF{}, v); }

IMPASTO_INLINE float largest_lane(VecF v) {
#if defined(__AVX512F__)
  return _mm512_reduce_max_ps(v);
#else
  float largest = v[0];
  for (int i = 1; i < kLanes; ++i) largest = v[i] > largest ? v[i] : largest;
  return largest;
#endif
}

#if !defined(__AVX512F__)
// One bit per lane: lane i of a comparison's result gives bit i.
IMPASTO_INLINE unsigned lane_bits(VecI comparison) {
#if defined(__AVX2__)
  return static_cast<unsigned>(_mm256_movemask_ps(reinterpret_cast<__m256>(comparison)));
#elif defined(__x86_64__)
  return static_cast<unsigned>(_mm_movemask_ps(reinterpret_cast<__m128>(comparison)));
#else
  const VecI bit = comparison & VecI{1, 2, 4, 8};
  return static_cast<unsigned>(bit[0] | bit[1] | bit[2] | bit[3]);
#endif
}
#endif

// Bit i tells whether lane i of a is greater than (not less than) that of b.
IMPASTO_INLINE unsigned greater_bits(VecF a, VecF b) {
#if defined(__AVX512F__)
  return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ);
#else
  return lane_bits(a > b);
#endif
}
IMPASTO_INLINE unsigned not_less_bits(VecF a, VecF b) {
#if defined(__AVX512F__)
  return _mm512_cmp_ps_mask(a, b, _CMP_GE_OQ);
#else
  return lane_bits(a >= b);
#endif
}

// v where the lane's bit of `part` in the 16-bit word is set, 0 elsewhere.
IMPASTO_INLINE VecF where_set(std::uint16_t word, int part, VecF v) {
#if defined(__AVX512F__)
  (void)part;
  return _mm512_maskz_mov_ps(static_cast<__mmask16>(word), v);
#else
  VecI bit{};
  for (int i = 0; i < kLanes; ++i) bit[i] = 1 << (part * kLanes + i);
  // The word in either half of every lane: from memory into all of them at once.
  const VecI spread = reinterpret_cast<VecI>(VecW{} + word) & bit;
  return reinterpret_cast<VecF>(reinterpret_cast<VecI>(v) & (spread == bit));
#endif
}

// The bits of `part`, put in their place of the 16-bit word; part 0 clears the others.
IMPASTO_INLINE void store_bits(std::uint16_t* word, int part, unsigned bits) {
  if constexpr (kLanes == 8) {
    reinterpret_cast<std::uint8_t*>(word)[part] = static_cast<std::uint8_t>(bits);
  } else if (part == 0) {
    *word = static_cast<std::uint16_t>(bits);
  } else {
    *word = static_cast<std::uint16_t>(*word | bits << (part * kLanes));
  }
}

// a0 b0 a1 b1 ...: the first and the second half of the interleaved pair.
IMPASTO_INLINE VecF interleaved_low(VecF a, VecF b) {
#if defined(__AVX512F__)
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
#elif defined(__AVX2__)
  return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
#else
  return __builtin_shufflevector(a, b, 0, 4, 1, 5);
#endif
}
IMPASTO_INLINE VecF interleaved_high(VecF a, VecF b) {
#if defined(__AVX512F__)
  return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
#elif defined(__AVX2__)
  return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
#else
  return __builtin_shufflevector(a, b, 2, 6, 3, 7);
#endif
}

// The lanes from last to first.
IMPASTO_INLINE VecF reversed(VecF v) {
#if defined(__AVX512F__)
  return __builtin_shufflevector(v, v, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
#elif defined(__AVX2__)
  return __builtin_shufflevector(v, v, 7, 6, 5, 4, 3, 2, 1, 0);
#else
  return __builtin_shufflevector(v, v, 3, 2, 1, 0);
#endif
}

// Transposes a square of kLanes vectors: log2(kLanes) rounds of interleaving the first half of the rows with the second.
IMPASTO_INLINE void transpose(VecF (&rows)[kLanes]) {
  VecF other[kLanes];
  for (int span = 1; span < kLanes; span *= 2) {
    for (int i = 0; i < kLanes / 2; ++i) {
      other[2 * i] = interleaved_low(rows[i], rows[i + kLanes / 2]);
      other[2 * i + 1] = interleaved_high(rows[i], rows[i + kLanes / 2]);
    }
    for (int i = 0; i < kLanes; ++i) rows[i] = other[i];
  }
}

template <class T>
IMPASTO_INLINE T smaller_of(T a, T b) {
  return b < a ? b : a;
}

}  // namespace impasto::cpu::IMPASTO_ISA
