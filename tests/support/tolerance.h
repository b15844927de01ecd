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

}  // namespace impasto::testing_support::tolerance
