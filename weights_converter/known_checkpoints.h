// The published checkpoints of VGG19 that are known by their checksums, and the two networks they hold.
#pragma once

#include <array>
#include <optional>
#include <string>

namespace impasto {

enum class Network { kOxford, kTorchvision };

// How a picture is prepared for a network: FORMAT.md, root attributes.
struct Preparation {
  const char* network;  // "oxford" or "torchvision", as --network takes them
  const char* channel_order;
  double input_scale;
  std::array<double, 3> mean;
  std::array<double, 3> std;
  const char* licence;
};
const Preparation& preparation(Network network);

struct KnownCheckpoint {
  const char* file_name;
  const char* checksum;  // of the whole file: SHA-256, of which the publisher may give the first digits only, or MD5
  bool is_md5;
  Network network;
  const char* source;  // for people
};

// The entry whose checksum the file has; none if there is none. Throws WeightError where the file bears a known checkpoint's name without
// having its checksum: then it is damaged, cut short or something else. Throws IoError.
std::optional<KnownCheckpoint> identify_checkpoint(const std::string& path, const std::string& sha256);

}  // namespace impasto
