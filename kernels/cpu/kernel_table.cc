// The table of one instruction set.
#include "kernels/cpu/kernel_table.h"

#include "kernels/cpu/compact_kernels.h"
#include "kernels/cpu/direct_conv_kernels.h"
#include "kernels/cpu/gram_kernels.h"
#include "kernels/cpu/image_conv_kernels.h"
#include "kernels/cpu/picture_kernels.h"
#include "kernels/cpu/pooling_kernels.h"
#include "kernels/cpu/register_product.h"
#include "kernels/cpu/vector_kernels.h"
#include "kernels/cpu/winograd_kernels.h"

#define IMPASTO_TEXT_OF(x) #x
#define IMPASTO_TEXT(x) IMPASTO_TEXT_OF(x)

namespace impasto::cpu::IMPASTO_ISA {

const KernelTable& kernel_table() {
  static constexpr KernelTable kTable{
      .name = IMPASTO_TEXT(IMPASTO_ISA),
      .group_channels = kColumns,
      .group_rows = kRows,
      .winograd_filters = winograd_filters,
      .winograd_input = winograd_input,
      .winograd_products = winograd_products,
      .winograd_output = winograd_output,
      .direct_filters = direct_filters,
      .direct_patch = direct_patch,
      .image_conv_row = image_conv_row,
      .image_gradient_products = image_gradient_products,
      .image_gradient_row = image_gradient_row,
      .relu = relu,
      .relu_gradient = relu_gradient,
      .pool_row = pool_row,
      .pool_gradient_row = pool_gradient_row,
      .gram_group = gram_group,
      .gram_gradient = gram_gradient,
      .dots = dots,
      .combine = combine,
      .norms = norms,
      .distance = distance,
      .adam = adam,
      .compress = compress,
      .compact_dots = compact_dots,
      .compact_combine = compact_combine,
      .variation_row = variation_row,
      .smooth_along_row = smooth_along_row,
      .smooth_across_rows = smooth_across_rows,
  };
  return kTable;
}

}  // namespace impasto::cpu::IMPASTO_ISA
