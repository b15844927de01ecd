#include "weights_converter/convert.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "impasto/error.h"
#include "weights_converter/checkpoint.h"
#include "weights_converter/input_file.h"
#include "weights_converter/sha256.h"

namespace impasto {
namespace {

Network choose_network(const std::optional<KnownCheckpoint>& known, Naming naming, const ConvertOptions& options, const std::string& path) {
  if (known) {
    if (options.network && *options.network != known->network) {
      throw OptionError("--network " + std::string(preparation(*options.network).network) + " is wrong for " + path +
                        ": by its checksum it is " + known->source + ", so the network is " + preparation(known->network).network);
    }
    return known->network;
  }
  if (options.network) return *options.network;
  if (naming == Naming::kPaper)
    throw OptionError(path + " does not tell whose network it holds; add --network oxford or --network torchvision");
  return naming == Naming::kTorchvision ? Network::kTorchvision : Network::kOxford;
}

}  // namespace

Conversion convert_checkpoint(const std::string& path, const ConvertOptions& options) {
  const InputFile readable(path);  // says first, and plainly, where there is no such file
  const std::string sha256 = sha256_file(path);
  std::string expected = options.expect_sha256;
  std::transform(expected.begin(), expected.end(), expected.begin(), [](unsigned char digit) { return std::tolower(digit); });
  if (!expected.empty() && expected != sha256) throw WeightError(path + " has the SHA-256 " + sha256 + ", expected " + expected);
  const std::optional<KnownCheckpoint> known = identify_checkpoint(path, sha256);

  const std::unique_ptr<Checkpoint> checkpoint = open_checkpoint(path);
  const Naming naming = recognise_naming(*checkpoint, path);
  Conversion conversion;
  conversion.verified = known || !expected.empty();
  conversion.content.preparation = preparation(choose_network(known, naming, options, path));
  conversion.content.layers = gather_vgg19(*checkpoint, naming, path);
  conversion.content.source =
      known ? known->source : printable(std::filesystem::path(path).filename()) + (conversion.verified ? "" : ", unverified");
  conversion.content.source_sha256 = sha256;
  conversion.content.float16 = options.float16;
  return conversion;
}

}  // namespace impasto
