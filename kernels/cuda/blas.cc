#include "kernels/cuda/blas.h"

#include <cublas_v2.h>

#include <string>
#include <type_traits>

#include "impasto/error.h"
#include "kernels/cuda/memory.h"

namespace impasto::cuda {
namespace {

// As much as cuBLAS would take for itself on the largest devices; it would do so at the first product, in the middle of a run.
constexpr std::int64_t kWorkspaceBytes = std::int64_t{32} << 20;

void check(cublasStatus_t status, const std::string& what) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  throw DeviceError("cuBLAS, " + what + ": " + cublasGetStatusName(status) + " (" + cublasGetStatusString(status) + ")");
}

struct DestroyHandle {
  // A destructor has nobody to tell.
  void operator()(cublasHandle_t handle) const { cublasDestroy(handle); }
};

using Handle = std::unique_ptr<std::remove_pointer_t<cublasHandle_t>, DestroyHandle>;

Handle make_handle() {
  cublasHandle_t made = nullptr;
  check(cublasCreate(&made), "opening the device");
  return Handle(made);
}

cublasOperation_t operation(bool transpose) { return transpose ? CUBLAS_OP_T : CUBLAS_OP_N; }

cublasComputeType_t compute_type(Precision precision, Storage operands) {
  if (operands != Storage::kFloat32) return CUBLAS_COMPUTE_32F;
  // Pedantic: neither TF32 nor products put together from bfloat16, whatever the environment allows.
  return precision == Precision::kTf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F_PEDANTIC;
}

cudaDataType_t data_type(Storage storage) {
  return storage == Storage::kFloat16 ? CUDA_R_16F : storage == Storage::kBfloat16 ? CUDA_R_16BF : CUDA_R_32F;
}

class CublasBlas : public Blas {
 public:
  CublasBlas(cudaStream_t stream, Precision precision)
      : workspace_(allocate(kWorkspaceBytes)), handle_(make_handle()), precision_(precision) {
    check(cublasSetStream(handle_.get(), stream), "taking the stream");
    // After the stream, which would bring cuBLAS's own workspace back.
    check(cublasSetWorkspace(handle_.get(), workspace_.data(), static_cast<std::size_t>(kWorkspaceBytes)), "taking the workspace");
    // Sums in float32 with all engines, and in no order left to chance.
    check(
        cublasSetMathMode(handle_.get(), static_cast<cublasMath_t>(CUBLAS_DEFAULT_MATH | CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION)),
        "choosing sums in float32");
    check(cublasSetAtomicsMode(handle_.get(), CUBLAS_ATOMICS_NOT_ALLOWED), "ruling out atomics");
  }

  void multiply(const Product& p) override {
    check(cublasSetPointerMode(handle_.get(), p.scalars == nullptr ? CUBLAS_POINTER_MODE_HOST : CUBLAS_POINTER_MODE_DEVICE),
          "choosing whose scalars");
    const float* alpha = p.scalars == nullptr ? &p.alpha : p.scalars;
    const float* beta = p.scalars == nullptr ? &p.beta : p.scalars + 1;
    const cudaDataType_t operands = data_type(p.operands);
    const cublasStatus_t status = cublasGemmStridedBatchedEx(  //
        handle_.get(), operation(p.transpose_a), operation(p.transpose_b), p.m, p.n, p.k, alpha, p.a, operands, p.lda, p.stride_a, p.b,
        operands, p.ldb, p.stride_b, beta, p.c, data_type(p.results), p.ldc, p.stride_c, p.batch, compute_type(precision_, p.operands),
        CUBLAS_GEMM_DEFAULT);
    if (status == CUBLAS_STATUS_SUCCESS) return;
    check(status, "starting " + std::to_string(p.batch) + " products of " + std::to_string(p.m) + "x" + std::to_string(p.k) + " by " +
                      std::to_string(p.k) + "x" + std::to_string(p.n));
  }

 private:
  // Before the handle, which uses it to its end.
  Buffer workspace_;
  Handle handle_;
  Precision precision_;
};

}  // namespace

std::unique_ptr<Blas> make_blas(cudaStream_t stream, Precision precision) { return std::make_unique<CublasBlas>(stream, precision); }

}  // namespace impasto::cuda
