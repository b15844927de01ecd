#include "kernels/cuda/graph.h"

#include <type_traits>

#include "kernels/cuda/launch.h"

namespace impasto::cuda {
namespace {

// Destructors have nobody to tell.
struct DestroyGraph {
  void operator()(cudaGraph_t graph) const { cudaGraphDestroy(graph); }
};
struct DestroyExecutable {
  void operator()(cudaGraphExec_t executable) const { cudaGraphExecDestroy(executable); }
};

using Graph = std::unique_ptr<std::remove_pointer_t<cudaGraph_t>, DestroyGraph>;
using Executable = std::shared_ptr<std::remove_pointer_t<cudaGraphExec_t>>;

// A stream that is recording, until end() or the end of its life.
class Capture {
 public:
  // By threads: what other threads of the program ask of the runtime meanwhile is no concern of this one.
  explicit Capture(cudaStream_t stream) : stream_(stream) {
    check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), "beginning to record operations");
  }
  ~Capture() {
    if (ended_) return;
    // An operation has thrown: its error is the one to report.
    cudaGraph_t made = nullptr;
    cudaStreamEndCapture(stream_, &made);
    cudaGetLastError();
    const Graph unfinished(made);
  }
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  Graph end() {
    ended_ = true;
    cudaGraph_t made = nullptr;
    check(cudaStreamEndCapture(stream_, &made), "recording operations");
    return Graph(made);
  }

 private:
  cudaStream_t stream_;
  bool ended_ = false;
};

}  // namespace

Recording record(const std::function<void()>& operations, cudaStream_t stream) {
  // Carried out first, for good: what cuDNN, cuBLAS and the runtime load or allocate when something first runs, a capture does not allow.
  operations();
  Capture capture(stream);
  operations();
  const Graph graph = capture.end();
  cudaGraphExec_t made = nullptr;
  check(cudaGraphInstantiate(&made, graph.get(), 0), "preparing recorded operations");
  const Executable executable(made, DestroyExecutable{});
  return [executable, stream] { check(cudaGraphLaunch(executable.get(), stream), "starting recorded operations"); };
}

}  // namespace impasto::cuda
