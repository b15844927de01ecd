// What cuDNN and cuBLAS compute for the backend, as benchmarks prepare it.
#pragma once

#include <cstdint>
#include <memory>

#include "bench/cuda/device.h"
#include "bench/cuda/traffic.h"
#include "kernels/backend.h"
#include "kernels/cuda/dnn.h"

namespace impasto {

inline Work convolution(Device& device, const traffic::Layer& layer, cuda::Convolution::Kind kind) {
  const Shape out = layer.convolved;
  const Shape in{layer.in_channels, out.h, out.w};
  const bool back = kind == cuda::Convolution::Kind::kGradient;
  const cuda::Convolution problem{kind, out.h, out.w, in.c, out.c, device.precision()};
  const std::shared_ptr<cuda::DnnPlan> plan = device.dnn().plan(problem, cuda::Prefer::kSpeed);
  const Features filters = device.features({9 * in.c, 1, out.c});
  const Features bias = device.features({out.c, 1, 1});
  const Features from = device.features(back ? out : in);
  const Features to = device.features(back ? in : out);
  void* const workspace = device.memory(plan->workspace_bytes());
  return {[=] { plan->run(from.data, filters.data, bias.data, to.data, workspace); }, {}, 2.0 * 9 * in.c * static_cast<double>(out.size())};
}

inline Work convolution_forward(Device& device, const traffic::Layer& layer) {
  return convolution(device, layer, cuda::Convolution::Kind::kForwardRelu);
}
inline Work convolution_gradient(Device& device, const traffic::Layer& layer) {
  return convolution(device, layer, cuda::Convolution::Kind::kGradient);
}

inline double gram_operations(const traffic::Layer& layer) { return 2.0 * layer.convolved.c * static_cast<double>(layer.convolved.size()); }

inline Work gram(Device& device, const traffic::Layer& layer) {
  const Features f = device.features(layer.convolved);
  const Vector g = device.vector(std::int64_t{layer.convolved.c} * layer.convolved.c);
  void* const scratch = device.memory(device.backend().gram_scratch_bytes(layer.convolved));
  return {[=, &device] { device.backend().gram(f, g, scratch); }, {}, gram_operations(layer)};
}

inline Work gram_gradient(Device& device, const traffic::Layer& layer) {
  const GramTerm term{device.features(layer.convolved), device.vector(std::int64_t{layer.convolved.c} * layer.convolved.c), 1e-9};
  const Features grad = device.features(layer.convolved);
  void* const scratch = device.memory(device.backend().gram_scratch_bytes(layer.convolved));
  return {[=, &device] { device.backend().gram_gradient(term, grad, scratch); }, {}, gram_operations(layer)};
}

}  // namespace impasto
