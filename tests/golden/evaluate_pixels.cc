// evaluate_pixels: answers requests, one line of JSON each on stdin, with one line of JSON each on stdout, so that scripts
// (check_parity.py, bench/peers/) can put the library beside others, evaluation by evaluation, in one process that stays.
//
//   {"open": WEIGHTS, "device": "cpu", "threads": 0, "cpu_isa": "", "tile": 0, "precision": "auto", "autotune": false}
//        -> {"device": DESCRIPTION}
//   {"pictures": {"content": P, "styles": [P, ...]}, "options": OPTIONS}               -> {}        targets computed
//   {"evaluate": P, "gradient": FILE or null}                                          -> {"losses", "seconds"}
//   {"time": P, "evaluations": N}                                                      -> {"seconds": [...]} of each of N, P on the device
//   {"run": ITERATIONS, "optimizer": "lbfgs-torch", "paced": false, "picture": FILE or null}
//        -> {"evaluations": [...], "stop_reason", "elapsed"}; paced: first one line per evaluation, and waits for a line before the next
//   {"memory": true}                                                                   -> {"peak_bytes"}
//
// P: {"file", "width", "height"}: float32, RGB interleaved, 0..1. Gradients are written as float64, pictures as float32.
// OPTIONS: as in goldens/evaluations.json. A request that fails is answered with {"error"}.
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>

#include "tests/golden/golden_file.h"

namespace impasto::golden {
namespace {

using nlohmann::json;

Image read_image(const json& place) {
  Image image{place["width"], place["height"], {}};
  image.pixels.resize(std::size_t{3} * image.width * image.height);
  std::ifstream in(place["file"].get<std::string>(), std::ios::binary);
  in.read(reinterpret_cast<char*>(image.pixels.data()), static_cast<std::streamsize>(image.pixels.size() * sizeof(float)));
  if (!in) throw std::runtime_error("cannot read " + place["file"].get<std::string>());
  return image;
}

template <class T>
void write_numbers(const json& file, const std::vector<T>& values) {
  if (file.is_null()) return;
  std::ofstream out(file.get<std::string>(), std::ios::binary);
  out.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(T)));
  if (!out.flush()) throw std::runtime_error("cannot write " + file.get<std::string>());
}

json to_json(const Losses& losses) {
  return {{"total", losses.total}, {"content", losses.content}, {"style", losses.style}, {"tv", losses.tv}};
}

Device device_named(const std::string& name) {
  if (name == "cpu") return Device::kCpu;
  if (name == "cuda") return Device::kCuda;
  if (name == "reference") return Device::kReference;
  if (name == "reference-float") return Device::kReferenceFloat;
  throw std::runtime_error("device " + name + "; expected cpu, cuda, reference or reference-float");
}

Precision precision_named(const std::string& name) {
  for (const Precision precision : {Precision::kAuto, Precision::kFp32, Precision::kTf32, Precision::kFp16, Precision::kBf16}) {
    if (name == to_string(precision)) return precision;
  }
  throw std::runtime_error("precision " + name + "; expected auto, fp32, tf32, fp16 or bf16");
}

Optimizer optimizer_named(const std::string& name) {
  if (name == "lbfgs") return Optimizer::kLbfgs;
  if (name == "lbfgs-torch") return Optimizer::kLbfgsTorch;
  if (name == "lbfgs-wolfe") return Optimizer::kLbfgsWolfe;
  if (name == "adam") return Optimizer::kAdam;
  throw std::runtime_error("optimizer " + name + "; expected lbfgs, lbfgs-torch, lbfgs-wolfe or adam");
}

std::int64_t peak_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word != "VmHWM:") continue;
    std::int64_t kilobytes = 0;
    status >> kilobytes;
    return kilobytes * 1024;
  }
  throw std::runtime_error("/proc/self/status has no VmHWM");
}

class Server {
 public:
  json answer(const json& request) {
    if (request.contains("open")) return open(request);
    if (request.contains("pictures")) return pictures(request);
    if (request.contains("evaluate")) return evaluate(request);
    if (request.contains("time")) return {{"seconds", evaluator().seconds(read_image(request["time"]), request["evaluations"])}};
    if (request.contains("run")) return run(request);
    if (request.contains("memory")) return {{"peak_bytes", peak_bytes()}};
    throw std::runtime_error("not a request: " + request.dump());
  }

 private:
  json open(const json& request) {
    SessionOptions options = on(device_named(request["device"]), request["cpu_isa"], request["tile"]);
    options.threads = request["threads"];
    options.precision = precision_named(request["precision"]);
    options.autotune = request["autotune"];
    evaluator_.reset();
    session_.reset();
    session_.emplace(request["open"].get<std::string>(), options);
    return {{"device", session_->device_description()}};
  }

  json pictures(const json& request) {
    evaluator_.reset();
    content_ = read_image(request["pictures"]["content"]);
    styles_.clear();
    for (const json& style : request["pictures"]["styles"]) styles_.push_back(read_image(style));
    options_ = style_options(request["options"]);
    return json::object();
  }

  Evaluator& evaluator() {
    if (!evaluator_) evaluator_.emplace(session_.value().evaluator(content_, styles_, options_));
    return *evaluator_;
  }

  json evaluate(const json& request) {
    Evaluator& prepared = evaluator();
    const Image pixels = read_image(request["evaluate"]);
    const auto start = std::chrono::steady_clock::now();
    const PixelGradient result = prepared.evaluate(pixels);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    write_numbers(request["gradient"], result.gradient);
    return {{"losses", to_json(result.losses)}, {"seconds", seconds}};
  }

  json run(const json& request) {
    StyleOptions options = options_;
    options.iterations = request["run"];
    options.optimizer = optimizer_named(request["optimizer"]);
    const bool paced = request["paced"];
    json evaluations = json::array();
    evaluator_.reset();
    const Observer observer = [&](const Progress& progress) {
      const Evaluation& e = progress.evaluation;
      const json line = {{"index", e.index},        {"seconds", e.seconds},        {"elapsed", e.elapsed},
                         {"total", e.losses.total}, {"content", e.losses.content}, {"gradient_rms", e.gradient_rms}};
      evaluations.push_back(line);
      if (!paced) return true;
      std::cout << line.dump() << std::endl;
      std::string go;
      return static_cast<bool>(std::getline(std::cin, go));
    };
    const auto start = std::chrono::steady_clock::now();
    const Result result = session_.value().stylize(content_, styles_, options, observer);
    const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    write_numbers(request["picture"], result.image.pixels);
    return {{"evaluations", evaluations}, {"stop_reason", to_string(result.stop_reason)}, {"elapsed", elapsed}};
  }

  std::optional<Session> session_;
  Image content_;
  std::vector<Image> styles_;
  StyleOptions options_;
  std::optional<Evaluator> evaluator_;
};

}  // namespace
}  // namespace impasto::golden

int main() {
  impasto::golden::Server server;
  for (std::string line; std::getline(std::cin, line);) {
    nlohmann::json answer;
    try {
      answer = server.answer(nlohmann::json::parse(line));
    } catch (const std::exception& error) {
      answer = {{"error", error.what()}};
    }
    std::cout << answer.dump() << std::endl;
  }
}
