#include "tools/impasto/arguments.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <functional>
#include <initializer_list>
#include <map>
#include <string_view>
#include <utility>

#include "impasto/error.h"
#include "tools/impasto/failure.h"
#include "tools/impasto/numbers.h"

namespace impasto::command {

namespace {

// A machine with more cores than this would be a surprise; more threads than cores only cost memory.
constexpr int kMaxThreads = 1024;
constexpr int kMaxIterations = 1'000'000;
constexpr int kMaxHistory = 10'000;
constexpr int kMaxMegapixels = 100'000;

template <typename T>
using Choices = std::map<std::string, T>;

template <typename T>
T choose(const std::string& option, const std::string& text, const Choices<T>& choices) {
  const auto found = choices.find(text);
  if (found != choices.end()) return found->second;
  std::string names;
  for (const auto& [name, value] : choices) names += (names.empty() ? "" : ", ") + name;
  throw Failure(kUsage, option + ": '" + text + "' is not accepted; give one of " + names);
}

void choose_device(const std::string& text, SessionOptions& session) {
  constexpr std::string_view kNumbered = "cuda:";
  if (text.starts_with(kNumbered)) {
    const char* end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data() + kNumbered.size(), end, session.cuda_device);
    if (error != std::errc{} || stopped != end || session.cuda_device < 0) {
      throw Failure(kUsage, "--device: '" + text + "' is not accepted; devices are counted from cuda:0 (impasto devices lists them)");
    }
    session.device = Device::kCuda;
    return;
  }
  session.device = choose<Device>("--device", text,
                                  {{"auto", Device::kAuto},
                                   {"cpu", Device::kCpu},
                                   {"cuda", Device::kCuda},
                                   {"reference", Device::kReference},
                                   {"reference-float", Device::kReferenceFloat}});
}

class Parser {
 public:
  Request parse(int argc, const char* const* argv) {
    describe();
    Request request;
    if (argc == 2 && std::string_view(argv[1]) == "devices") {
      request.kind = Request::Kind::kDevices;
      return request;
    }
    try {
      app_.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
      request.kind = Request::Kind::kHelp;
      request.help = app_.help();
      return request;
    } catch (const CLI::ParseError& error) {
      throw Failure(kUsage, std::string(error.what()) + " (impasto --help lists the options)");
    }
    if (version_) {
      request.kind = Request::Kind::kVersion;
      return request;
    }
    finish();
    request.settings = std::move(settings_);
    return request;
  }

 private:
  // An option with one value that `read` takes; `fallback` is what --help shows as the default.
  template <typename Read>
  void option(const std::string& names, const std::string& type, const std::string& fallback, const std::string& description, Read read) {
    const auto read_some = [names, type, read](const std::string& text) {
      if (text.empty()) throw Failure(kUsage, names + ": an empty value is not accepted; give " + type);
      read(text);
    };
    CLI::Option* added = app_.add_option_function<std::string>(names, read_some, description);
    added->type_name(type)->group(group_);
    if (!fallback.empty()) added->default_str(fallback);
  }

  void flag(const std::string& names, bool& value, const std::string& description) {
    app_.add_flag(names, value, description)->group(group_);
  }

  template <typename T>
  std::function<void(const std::string&)> integer(const std::string& name, std::int64_t least, std::int64_t most, T& field) {
    return [name, least, most, &field](const std::string& text) { field = static_cast<int>(parse_integer(name, text, least, most)); };
  }

  // The three size options exclude each other: the first one named is remembered.
  std::function<void(const std::string&)> size(const std::string& name, Sizing::Rule rule, int least) {
    return [this, name, rule, least](const std::string& text) {
      if (!size_option_.empty()) throw Failure(kUsage, name + " cannot be combined with " + size_option_);
      size_option_ = name;
      overrides_.pixels = static_cast<int>(parse_integer(name, text, least, kMaxSide));
      overrides_.rule = rule;
    };
  }

  void describe();
  void describe_pictures();
  void describe_losses();
  void describe_optimisation();
  void describe_network();
  void describe_reports();
  void finish();

  CLI::App app_{
      "Repaints CONTENT in the style of one or more STYLE pictures with the VGG19 network: writes OUT.\n"
      "The picture's path goes to stdout, everything else to stderr. `impasto devices` lists what there is to compute on.",
      "impasto"};
  std::string group_;
  std::string size_option_;
  bool exact_ = false;
  bool progress_given_ = false;
  bool version_ = false;
  Preset preset_ = Preset::kNone;
  Overrides overrides_;
  Settings settings_;
};

void Parser::describe() {
  app_.add_option("CONTENT", settings_.content, "The picture to repaint: JPEG, PNG, TIFF, WebP")->type_name("FILE");
  app_.add_option("STYLE", settings_.styles, "The picture or pictures whose style it takes")->type_name("FILE");
  app_.set_help_flag("-h,--help", "Print this help and exit");
  app_.add_flag("--version", version_, "Print version, compiler, instruction sets and libraries, and exit");

  app_.get_formatter()->column_width(38);
  describe_pictures();
  describe_losses();
  describe_optimisation();
  describe_network();
  describe_reports();

  app_.footer(
      "Exit codes: 0 done, 1 the run failed or could not be written, 2 usage, 3 device not available, 4 a picture cannot be read,\n"
      "5 weights missing or damaged, 6 out of memory, 130 interrupted (Ctrl-C: the best picture so far is saved; twice: at once).\n"
      "Weights are looked for in: --weights, $IMPASTO_WEIGHTS, $XDG_DATA_HOME/impasto (~/.local/share/impasto), PREFIX/share/impasto, "
      "beside\n"
      "the program; there vgg19-oxford.h5 before vgg19-torchvision.h5. tools/get-weights obtains them.\n"
      "What --autotune measures is kept in $XDG_CACHE_HOME/impasto/cuda-plans.json (~/.cache/impasto), and taken without it as well.");
}

void Parser::describe_pictures() {
  group_ = "Pictures";
  option("-o,--output", "OUT", "", "Where the picture goes; the extension is the format: .png .jpg .tif .webp .avif",
         [this](const std::string& text) { settings_.output = text; });
  option("--max-width", "N", "400", "Work on pictures at most N pixels wide, never enlarged; 0: as they are",
         size("--max-width", Sizing::Rule::kMaxWidth, 0));
  option("--size", "N", "", "Work on pictures whose longer side is N pixels, enlarged where smaller",
         size("--size", Sizing::Rule::kLongerSide, 1));
  option("--short-side", "N", "", "Work on pictures whose shorter side is N pixels, enlarged where smaller",
         size("--short-side", Sizing::Rule::kShorterSide, 1));
  option("--filter", "NAME", "lanczos",
         "How pictures are resized: lanczos, bicubic, bilinear, or bilinear-aliased (two taps, as PyTorch's interpolate)",
         [this](const std::string& text) {
           overrides_.antialias = text != "bilinear-aliased";
           overrides_.filter = choose<Filter>("--filter", text,
                                              {{"lanczos", Filter::kLanczos},
                                               {"bicubic", Filter::kBicubic},
                                               {"bilinear", Filter::kBilinear},
                                               {"bilinear-aliased", Filter::kBilinear}});
         });
  option("--bit-depth", "8|16", "8", "Bits per channel; 16 for .png and .tif", [this](const std::string& text) {
    settings_.bit_depth = choose<int>("--bit-depth", text, {{"8", 8}, {"16", 16}});
  });
  option("--quality", "N", "95", "Quality of .jpg, .webp and .avif, 1 to 100", integer("--quality", 1, 100, settings_.quality));
  option("--max-pixels", "N", "300", "Refuse pictures of more megapixels before decoding them",
         [this](const std::string& text) { settings_.max_pixels = parse_integer("--max-pixels", text, 1, kMaxMegapixels) * 1'000'000; });
}

void Parser::describe_losses() {
  group_ = "Style and content";
  option("--preset", "gatys", "",
         "A published setting, and its losses beside ours. gatys: shorter side 512, bilinear-aliased, Oxford weights,\n"
         "style weight 1000, content weight 1, lbfgs-torch, 500 iterations. Other options override it",
         [this](const std::string& text) {
           preset_ = choose<Preset>("--preset", text, {{"gatys", Preset::kGatys}});
         });
  option("--content-weight", "W", "1", "Weight of the content",
         [this](const std::string& text) { overrides_.content_weight = parse_number("--content-weight", text); });
  option("--style-weight", "W[,W...]", "by network",
         "Weight of the style: one number, or one per style layer (1000 for the Oxford network)",
         [this](const std::string& text) { overrides_.style_weights = parse_numbers("--style-weight", text); });
  option("--content-layers", "LAYERS", "relu4_2", "Layers compared with the content, separated by commas: convN_M (before ReLU) or reluN_M",
         [this](const std::string& text) { overrides_.content_layers = parse_names("--content-layers", text); });
  option("--style-layers", "LAYERS", "relu1_1,relu2_1,relu3_1,relu4_1,relu5_1", "Layers compared with the style",
         [this](const std::string& text) { overrides_.style_layers = parse_names("--style-layers", text); });
  option("--style-blend", "B[,B...]", "equal", "Shares of several style pictures, one number for each",
         [this](const std::string& text) { settings_.style.style_blend = parse_numbers("--style-blend", text); });
  option("--tv-weight", "W", "0", "Weight of the total variation: smooths",
         [this](const std::string& text) { overrides_.tv_weight = parse_number("--tv-weight", text); });
  option("--pooling", "max|average", "max", "Pooling of the network", [this](const std::string& text) {
    overrides_.pooling = choose<Pooling>("--pooling", text, {{"max", Pooling::kMax}, {"average", Pooling::kAverage}});
  });
}

void Parser::describe_optimisation() {
  group_ = "Optimisation";
  option("--iterations", "N", "300", "Evaluations of losses and gradient; 0: evaluate once and print the losses",
         integer("--iterations", 0, kMaxIterations, overrides_.iterations));
  option("--optimizer", "NAME", "lbfgs", "lbfgs, lbfgs-torch (PyTorch's, no line search), lbfgs-wolfe or adam",
         [this](const std::string& text) {
           overrides_.optimizer = choose<Optimizer>("--optimizer", text,
                                                    {{"lbfgs", Optimizer::kLbfgs},
                                                     {"lbfgs-torch", Optimizer::kLbfgsTorch},
                                                     {"lbfgs-wolfe", Optimizer::kLbfgsWolfe},
                                                     {"adam", Optimizer::kAdam}});
         });
  option("--history", "N", "100", "Pairs that L-BFGS remembers", integer("--history", 1, kMaxHistory, overrides_.history));
  option("--learning-rate", "X", "", "Step of lbfgs-torch (1), or of adam in grey levels of 255 (10)",
         [this](const std::string& text) { settings_.style.learning_rate = parse_number("--learning-rate", text, /*positive=*/true); });
  option("--init", "content|random|PATH", "content",
         "Start from the content, from noise, or from a picture (resized to the content's size)", [this](const std::string& text) {
           const bool named = text == "content" || text == "random";
           overrides_.init = !named ? Init::kPicture : text == "content" ? Init::kContent : Init::kRandom;
           settings_.init_picture = named ? "" : text;
         });
  option("--seed", "N", "42", "Seed of --init random and of --untrained",
         [this](const std::string& text) { settings_.style.seed = parse_seed("--seed", text); });
}

void Parser::describe_network() {
  group_ = "Network and device";
  option("--weights", "FILE", "", "Weight file, made by impasto-convert-weights",
         [this](const std::string& text) { settings_.weights = text; });
  flag("--untrained", settings_.untrained, "Use a network of random filters: no weights needed, weaker pictures");
  option("--device", "NAME", "auto", "auto (CUDA where it can be had, else cpu), cpu, cuda, cuda:N, reference (double) or reference-float",
         [this](const std::string& text) { choose_device(text, settings_.session); });
  option("--precision", "NAME", "auto",
         "Numbers of activations: fp32, fp16 (CUDA), tf32 or bf16 (CUDA of compute capability 8.0 or more), or auto: tf32\n"
         "where CUDA has it, else fp32. Others than auto and fp32 mean CUDA",
         [this](const std::string& text) {
           settings_.session.precision = choose<Precision>("--precision", text,
                                                           {{"auto", Precision::kAuto},
                                                            {"fp32", Precision::kFp32},
                                                            {"tf32", Precision::kTf32},
                                                            {"fp16", Precision::kFp16},
                                                            {"bf16", Precision::kBf16}});
         });
  option("--threads", "N", "0", "CPU threads; 0: one per core. The picture does not depend on it",
         integer("--threads", 0, kMaxThreads, settings_.session.threads));
  option("--cpu-isa", "NAME", "best", "Vector instructions of the CPU; --version lists those this machine has",
         [this](const std::string& text) { settings_.session.cpu_isa = text; });
  option("--tile", "M", "auto",
         "Tiles of the CPU's convolutions: 2, 4, 6 or auto, the quickest of each layer; more round more. 1: direct sums, slow",
         [this](const std::string& text) {
           settings_.session.tile = choose<int>("--tile", text, {{"auto", 0}, {"1", 1}, {"2", 2}, {"4", 4}, {"6", 6}});
         });
  flag("--exact", exact_, "Convolutions summed in double: the gradient to 1e-6, for nine times the time; the same as --tile 1");
  flag("--autotune", settings_.session.autotune,
       "Measure which of cuDNN's engines is the quickest for each convolution, once for each device and size: means CUDA");
}

void Parser::describe_reports() {
  group_ = "Reports";
  option("--report", "FILE.json", "", "Write settings, hashes and every evaluation's losses",
         [this](const std::string& text) { settings_.report = text; });
  option("--save-every", "N", "0", "Also write the best picture so far every N evaluations, as OUT-0050.png; 0: never",
         integer("--save-every", 0, kMaxIterations, settings_.save_every));
  option("--progress", "KIND", "auto", "auto (bar on a terminal, plain otherwise), bar, plain, json (one object per line) or none",
         [this](const std::string& text) {
           progress_given_ = true;
           settings_.progress = choose<ProgressKind>("--progress", text,
                                                     {{"auto", ProgressKind::kAuto},
                                                      {"bar", ProgressKind::kBar},
                                                      {"plain", ProgressKind::kPlain},
                                                      {"json", ProgressKind::kJson},
                                                      {"none", ProgressKind::kNone}});
         });
  flag("-q,--quiet", settings_.quiet, "No progress and no notes on stderr, only errors");
  flag("--dry-run", settings_.dry_run,
       "Print resolved settings, memory by purpose and estimated time; create nothing beside what --autotune keeps");
}

void Parser::finish() {
  if (settings_.content.empty() || settings_.styles.empty()) {
    throw Failure(kUsage, "CONTENT and at least one STYLE are needed: impasto CONTENT STYLE -o OUT.png (impasto --help lists the options)");
  }
  for (const std::string& style : settings_.styles) {
    if (style.empty()) throw Failure(kUsage, "STYLE: '' is not accepted; give the path of a picture");
  }
  if (settings_.untrained && !settings_.weights.empty()) throw Failure(kUsage, "--untrained cannot be combined with --weights");
  if (exact_ && settings_.session.tile != 0 && settings_.session.tile != 1)
    throw Failure(kUsage, "--exact cannot be combined with another --tile than 1");
  if (exact_) settings_.session.tile = 1;
  settings_.session.cuda_module = cuda_module();
  settings_.session.plan_cache = plan_cache();
  if (settings_.quiet && !progress_given_) settings_.progress = ProgressKind::kNone;

  apply(preset_, overrides_, settings_);

  const bool may_lack_output = settings_.dry_run || (settings_.style.iterations == 0 && settings_.save_every == 0);
  if (settings_.output.empty() && !may_lack_output)
    throw Failure(kUsage, "-o OUT is needed: where the picture goes, for example -o out.png");
  const std::size_t shares = settings_.style.style_blend.size();
  if (shares != 0 && shares != settings_.styles.size()) {
    throw Failure(kUsage, "--style-blend has " + std::to_string(shares) + " values for " + std::to_string(settings_.styles.size()) +
                              " style pictures; give one for each");
  }
  try {
    settings_.style.validate();
  } catch (const OptionError& error) {
    throw Failure(kUsage, error.what());
  }
}

}  // namespace

Request parse_arguments(int argc, const char* const* argv) { return Parser().parse(argc, argv); }

std::string arguments_library() { return std::string("CLI11 ") + CLI11_VERSION; }

}  // namespace impasto::command
