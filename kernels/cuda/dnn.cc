#include "kernels/cuda/dnn.h"

#include <array>
#include <optional>
#include <utility>

#include "kernels/cuda/dnn_graph.h"

namespace impasto::cuda {
namespace {

struct DestroyHandle {
  // A destructor has nobody to tell.
  void operator()(cudnnHandle_t handle) const { cudnnDestroy(handle); }
};

using Handle = std::shared_ptr<cudnnContext>;

Handle make_handle(cudaStream_t stream) {
  cudnnHandle_t made = nullptr;
  check(cudnnCreate(&made), "opening the device");
  Handle handle(made, DestroyHandle{});
  check(cudnnSetStream(made, stream), "taking the stream");
  return handle;
}

class CudnnPlan : public DnnPlan {
 public:
  CudnnPlan(Handle handle, const Convolution& convolution, ChosenPlan chosen)
      : handle_(std::move(handle)), has_bias_(convolution.kind != Convolution::Kind::kGradient), chosen_(std::move(chosen)) {}

  std::int64_t workspace_bytes() const override { return chosen_.workspace_bytes; }

  void run(const void* from, const void* filters, const void* bias, void* to, void* workspace) override {
    // The bias last, so that a gradient can leave it out.
    const std::array<std::int64_t, 4> ids{kFromId, kFiltersId, kToId, kBiasId};
    const std::array<const void*, 4> pointers{from, filters, to, bias};
    const std::int64_t count = has_bias_ ? 4 : 3;
    Descriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, "a convolution's arguments");
    pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, count, ids.data());
    pack.set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, count, pointers.data());
    pack.set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &workspace);
    pack.finalize();
    check(cudnnBackendExecute(handle_.get(), chosen_.plan.raw(), pack.raw()), "starting a convolution");
  }

 private:
  Handle handle_;
  bool has_bias_;
  ChosenPlan chosen_;
};

class Cudnn : public Dnn {
 public:
  explicit Cudnn(cudaStream_t stream) : handle_(make_handle(stream)), target_(handle_.get()) {}

  std::string version() const override {
    // 91900 for 9.19.0.
    const std::size_t number = cudnnGetVersion();
    return std::to_string(number / 10'000) + "." + std::to_string(number / 100 % 100) + "." + std::to_string(number % 100);
  }

  std::unique_ptr<DnnPlan> plan(const Convolution& convolution, Prefer prefer) override {
    return std::make_unique<CudnnPlan>(handle_, convolution, choose_plan(convolution, target_, workspace_cap(convolution), prefer));
  }

  std::vector<EngineChoice> choices(const Convolution& convolution, Prefer prefer, std::size_t most) override {
    return list_choices(convolution, target_, workspace_cap(convolution), prefer, most);
  }

  std::unique_ptr<DnnPlan> plan(const Convolution& convolution, const EngineChoice& choice) override {
    std::optional<ChosenPlan> chosen = plan_of(choice, convolution, target_, workspace_cap(convolution));
    if (!chosen) return nullptr;
    return std::make_unique<CudnnPlan>(handle_, convolution, std::move(*chosen));
  }

 private:
  Handle handle_;
  PlanTarget target_;
};

}  // namespace

std::unique_ptr<Dnn> make_dnn(cudaStream_t stream) { return std::make_unique<Cudnn>(stream); }

}  // namespace impasto::cuda
