#include "engine/vgg19.h"

#include "impasto/error.h"

namespace impasto {

Tap tap_named(const std::string& name) {
  for (int layer = 0; layer < static_cast<int>(kVgg19.size()); ++layer) {
    const std::string conv = kVgg19[layer].name;
    if (name == conv) return {layer, false};
    if (name == "relu" + conv.substr(4)) return {layer, true};
  }
  throw OptionError("layer '" + name + "' does not exist in VGG19; accepted: convN_M and reluN_M from conv1_1 to relu5_4, e.g. relu4_2");
}

}  // namespace impasto
