#include "weights_converter/vgg19.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "impasto/error.h"
#include "vgg19_network.h"

namespace impasto {
namespace {

using testing::MadeUpCheckpoint;

std::string refusal(const MadeUpCheckpoint& checkpoint) {
  try {
    gather_vgg19(checkpoint, recognise_naming(checkpoint, "a.pth"), "a.pth");
  } catch (const WeightError& error) {
    return error.what();
  }
  return "gathered without complaint";
}

bool says(const std::string& message, const std::string& part) { return message.find(part) != std::string::npos; }

class Vgg19Names : public ::testing::TestWithParam<Naming> {};

TEST_P(Vgg19Names, AreRecognisedAndGathered) {
  const MadeUpCheckpoint checkpoint(GetParam());
  ASSERT_EQ(recognise_naming(checkpoint, "a.pth"), GetParam());
  const std::vector<ConvWeights> layers = gather_vgg19(checkpoint, GetParam(), "a.pth");
  ASSERT_EQ(layers.size(), 16u);
  EXPECT_EQ(layers[8].weight.size(), 512u * 256u * 9u);
  EXPECT_EQ(layers[8].bias.size(), 512u);
  if (GetParam() == Naming::kPastiche) {
    EXPECT_EQ(layers[3].weight[300], 44.0f / 256.0f);
  } else {
    EXPECT_EQ(layers[3].weight[300], testing::made_up_value(0, false, 300));
  }
}

TEST_P(Vgg19Names, EveryTensorIsNeeded) {
  const MadeUpCheckpoint whole(GetParam());
  for (const std::size_t missing : {std::size_t{1}, whole.tensors().size() / 2, whole.tensors().size() - 1}) {
    MadeUpCheckpoint checkpoint(GetParam());
    const std::string name = checkpoint.edit()[missing].name;
    checkpoint.edit().erase(checkpoint.edit().begin() + static_cast<std::ptrdiff_t>(missing));
    EXPECT_TRUE(says(refusal(checkpoint), "no tensor " + name)) << refusal(checkpoint);
  }
}

TEST_P(Vgg19Names, ShapesAreChecked) {
  MadeUpCheckpoint checkpoint(GetParam());
  checkpoint.edit()[0].shape = {64, 3, 3, 2};
  EXPECT_TRUE(says(refusal(checkpoint), "has shape 64 x 3 x 3 x 2; VGG19's is 64 x 3 x 3 x 3"));
}

TEST_P(Vgg19Names, TypesAreChecked) {
  MadeUpCheckpoint checkpoint(GetParam());
  checkpoint.edit()[0].type = GetParam() == Naming::kPastiche ? ElementType::kFloat32 : ElementType::kUint8;
  EXPECT_TRUE(says(refusal(checkpoint), "is not of type"));
  checkpoint.edit()[0].type = ElementType::kOther;
  EXPECT_TRUE(says(refusal(checkpoint), "is not of type"));
}

TEST_P(Vgg19Names, ValuesMustBeFinite) {
  for (const float value :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()}) {
    MadeUpCheckpoint checkpoint(GetParam());
    const std::string name = checkpoint.edit()[1].name;
    checkpoint.plant(name, 63, value);
    EXPECT_TRUE(says(refusal(checkpoint), name + " has the value " + std::to_string(value) + " at element 63")) << refusal(checkpoint);
  }
}

INSTANTIATE_TEST_SUITE_P(All, Vgg19Names, ::testing::Values(Naming::kTorchvision, Naming::kKeras, Naming::kPastiche, Naming::kPaper));

TEST(Vgg19, ClassifierLayersArePassedOver) {
  MadeUpCheckpoint checkpoint(Naming::kTorchvision);
  checkpoint.edit().push_back({"classifier.0.weight", ElementType::kFloat32, {4096, 25088}});
  EXPECT_EQ(refusal(checkpoint), "gathered without complaint");
}

TEST(Vgg19, OtherNetworksAreRefused) {
  // With batch normalisation there is a tensor that VGG19 has not.
  MadeUpCheckpoint normalised(Naming::kTorchvision);
  normalised.edit().push_back({"features.1.running_mean", ElementType::kFloat32, {64}});
  EXPECT_TRUE(says(refusal(normalised), "it has a tensor features.1.running_mean"));
  // VGG16's third block has three convolutions, so features.17 is where the fourth block starts.
  MadeUpCheckpoint sixteen(Naming::kTorchvision);
  for (Tensor& tensor : sixteen.edit()) {
    if (tensor.name == "features.16.weight") tensor.name = "features.17.weight";
  }
  EXPECT_TRUE(says(refusal(sixteen), "features.17.weight"));
  MadeUpCheckpoint other(Naming::kTorchvision);
  other.edit() = {{"layer1.0.conv1.weight", ElementType::kFloat32, {64, 64, 3, 3}}};
  EXPECT_TRUE(says(refusal(other), "tensors such as layer1.0.conv1.weight"));
  other.edit().clear();
  EXPECT_TRUE(says(refusal(other), "no tensors at all"));
}

}  // namespace
}  // namespace impasto
