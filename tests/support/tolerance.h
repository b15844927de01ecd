// Every numerical tolerance of the tests, with its reason. u = 2^-24 = 6e-8 is float32's unit roundoff, 2^-53 = 1.1e-16 double's.
#pragma once

#include "tests/support/compare.h"

namespace impasto::testing_support::tolerance {

// Central differences in double with step s: truncation s^2 |f'''| / 6 and rounding 2^-53 |f| / s; with s = 1e-5 and values near 1
// both stay below 1e-9. 1e-7 is what the project promises.
inline constexpr Tolerance kFiniteDifference{1e-7, 1e-7};

// The same sum in double in another order: n 2^-53 relative to the sum of magnitudes, n <= 1e5 terms.
inline constexpr Tolerance kDoubleReordered{1e-11, 1e-11};

// Reductions of float32 data accumulated in double, relative to the sum of magnitudes: products are exact, the sums err like
// sqrt(n) 2^-53 = 5e-14 for n = 2e5. Measured 7.9e-14.
inline constexpr Tolerance kDoubleSum{1e-12, 1e-12};

// Reductions whose terms are formed in float32 and accumulated in double: a term (a - b)^2 is off by at most 3 u of itself.
inline constexpr Tolerance kFloatTerms{2e-7, 2e-7};

// An expression of a few float32 operations: each adds at most u of the largest intermediate value; about ten of them, in the norm
// like sqrt(10) u. Measured (Adam, five steps) 1.6e-7 and 7.0e-8.
inline constexpr Tolerance kFloatExpression{6e-7, 2e-7};

// 3x3 convolution by a plain sum of n = 9 C terms in float32: errors like sqrt(n) u for random signs, 4e-6 for n = 4608, less where
// blocks are summed apart. Measured 4.9e-7 of the largest value and 3.7e-7 in norm; two other float32 implementations 2.3e-6, 7.5e-7.
inline constexpr Tolerance kDirectConvolution{3e-6, 1e-6};

// 3x3 convolution summed in double: its result is rounded to float32 once, by at most u, and so is the reference's.
inline constexpr Tolerance kExactConvolution{1.3e-7, 1e-7};

// Winograd F(2x2, 3x3): its transforms hold only 0, 1/2 and 1. Measured 9.3e-7 of the largest value and 6.4e-7 in norm.
inline constexpr Tolerance kWinograd2Convolution{3e-6, 2e-6};

// Winograd F(4x4) and F(6x6), whose transforms multiply by up to 32 and lose that much to cancellation. Measured 1.2e-5 of the largest
// value and 3.4e-6 in norm here; over whole VGG layers up to 3.0e-5 and 7.1e-6.
inline constexpr Tolerance kWinograd6Convolution{4e-5, 1e-5};

// Products of matrices (Gram matrices and their gradient): plain float32 sums of up to 512 (gradient) or h w (Gram) terms.
// Measured 9.8e-7 and 4.7e-7.
inline constexpr Tolerance kMatrixProduct{3e-6, 1.5e-6};

// The last activations of three convolutions in a row: the stages' errors add.
inline constexpr double kStagesOfChain = 3;

// Gradients through several ReLU and max-pool layers, where rounding may take single decisions the other way: measured over whole
// VGG19 gradients, float32 against double, 1 - cos between 2.8e-6 and 5.5e-6; the norm moves less.
inline constexpr double kCosineAcrossKinks = 1e-5;
inline constexpr Tolerance kGradientNormAcrossKinks{5e-3, 5e-3};

// Convolved values of RMS 1 in float32 are off by less than a thousandth of this, Winograd's by less than a tenth.
inline constexpr double kKinkMargin = 1e-3;

// --- precisions below float32; u is theirs: half of what the last bit of 1 is worth ---------------------------------------------------
inline constexpr double kTf32Roundoff = 0x1p-11;
inline constexpr double kFp16Roundoff = 0x1p-11;
inline constexpr double kBf16Roundoff = 0x1p-8;

// Products of rounded operands, summed in float32, the result perhaps rounded as well. A rounding is off by at most u of the number, and
// 0.41 u in the root mean square over numbers. Of the two operands and the result as the backend and as the reference has it at most three
// are: 3 u for a sum of one product, 0.7 u in the norm and 5 times as much in the worst of 1e6 elements of sums of many. Measured 2.0 u of
// the largest value (a result rounded to the other of two neighbours) and 1.2 u in norm.
constexpr Tolerance rounded_operands(double u) { return {3 * u, 2 * u}; }

// The same where hardware may cut the two operands off instead, by up to 2 u each and always towards 0, and the result is not rounded: 4 u
// for a sum of one product, 1.4 u in the mean. Measured 1.5 u where they are rounded.
constexpr Tolerance cut_operands(double u) { return {4 * u, 3 * u}; }

// A float32 expression whose result is rounded to storage: where float32's error takes it past the middle of two neighbours, by 2 u.
constexpr Tolerance rounded_result(double u) { return {2 * u, u}; }

// Two values of up to 4, each off by rounded operands' 5 x 0.7 u of RMS 1 and by its own rounding.
constexpr double kink_margin(double u) { return 16 * u; }

// A share of a few u of the values is as near a kink as they are off, at every layer; the gradient through it is taken away or added.
constexpr double cosine_across_kinks(double u) { return 8 * u; }
constexpr Tolerance norm_across_kinks(double u) { return {16 * u, 16 * u}; }

}  // namespace impasto::testing_support::tolerance
