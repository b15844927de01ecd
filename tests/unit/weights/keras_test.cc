#include "weights_converter/keras.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <new>

#include "checkpoint_files.h"
#include "impasto/error.h"
#include "vgg19_network.h"
#include "weights_converter/child_process.h"
#include "weights_converter/weight_file.h"

namespace impasto {
namespace {

using testing::KerasFile;
using testing::TemporaryFolder;

std::string refusal_of_file(const std::string& path) {
  try {
    open_checkpoint(path);
  } catch (const WeightError& error) {
    return error.what();
  }
  return "read without complaint";
}

std::string refusal(const KerasFile& content) {
  const TemporaryFolder folder;
  testing::write_keras(folder.path("a.h5"), content);
  return refusal_of_file(folder.path("a.h5"));
}

bool says(const std::string& message, const std::string& part) { return message.find(part) != std::string::npos; }

// Rows and columns keep their sense and channels are told apart: every element differs from its neighbours.
TEST(Keras, TurnsKernelsToOutputChannelFirst) {
  for (const KerasFile& content : std::vector<KerasFile>{
           {.layers = 2},
           {.kernel_name = "#/kernel:0", .bias_name = "#/bias:0", .layers = 2},
           {.kernel_name = "kernel:0", .bias_name = "bias:0", .layers = 2},
           {.kernel_name = "#_1/kernel:0", .bias_name = "#_1/bias:0", .root = "/model_weights/", .layers = 2},
       }) {
    const TemporaryFolder folder;
    testing::write_keras(folder.path("a.h5"), content);
    const auto checkpoint = open_checkpoint(folder.path("a.h5"));
    EXPECT_EQ(checkpoint->tensors().size(), 4u) << content.kernel_name;
    for (std::size_t layer = 0; layer < 2; ++layer) {
      const Tensor* kernel = checkpoint->find(testing::keras_name(layer) + "/kernel");
      const Tensor* bias = checkpoint->find(testing::keras_name(layer) + "/bias");
      ASSERT_TRUE(kernel && bias) << content.kernel_name;
      EXPECT_EQ(kernel->shape, (std::vector<std::int64_t>{64, layer ? 64 : 3, 3, 3}));
      EXPECT_EQ(kernel->type, ElementType::kFloat32);
      EXPECT_EQ(checkpoint->read(*kernel), testing::made_up_values(layer, false));
      EXPECT_EQ(checkpoint->read(*bias), testing::made_up_values(layer, true));
    }
  }
}

TEST(Keras, RefusesOddLayers) {
  EXPECT_TRUE(says(refusal({.layers = 1, .extra_kernel = true}), "one too many"));
  EXPECT_TRUE(says(refusal({.layers = 1, .first_kernel = {3, 3, 3}}), "has 3 dimensions, not 4"));
  EXPECT_TRUE(says(refusal({.layers = 1, .first_kernel = {3, 3, 3, 4, 1}}), "has 5 dimensions, not 4"));
  EXPECT_TRUE(says(refusal({.layers = 1, .first_kernel = {1, 1, 4096, 8192}}), "claims more than"));
}

TEST(Keras, RefusesWhatIsNoKerasFile) {
  const TemporaryFolder folder;
  EXPECT_TRUE(says(refusal_of_file(folder.write("a.h5", "\x89HDF\r\n\x1a\nand then nothing")), "HDF5 cannot open it"));
  WeightFileContent ours = {testing::made_up_network(), preparation(Network::kOxford), "a test", std::string(64, '0')};
  write_file_whole(folder.path("b.h5"), weight_file_bytes(ours));
  EXPECT_TRUE(says(refusal_of_file(folder.path("b.h5")), "an Impasto weight file already"));
}

std::string in_child(const std::function<void(int)>& write) {
  try {
    const auto file = written_by_child("a.h5", 1, write);
    const std::vector<std::byte> bytes = file->read(0, file->size());
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  } catch (const WeightError& error) {
    return std::string("WeightError: ") + error.what();
  } catch (const Error& error) {
    return std::string("Error: ") + error.what();
  }
}

TEST(ChildProcess, ContainsWhateverHappens) {
  EXPECT_EQ(in_child([](int file) { EXPECT_EQ(::write(file, "done", 4), 4); }), "done");
  EXPECT_EQ(in_child([](int) { throw WeightError("a.h5 is wrong"); }), "WeightError: a.h5 is wrong");
  EXPECT_EQ(in_child([](int) { throw std::bad_alloc(); }), "Error: std::bad_alloc");
  EXPECT_EQ(in_child([](int) { std::raise(SIGKILL); }), "WeightError: a.h5 is damaged: reading it ended by Killed");
  EXPECT_EQ(in_child([](int) { ::_exit(9); }), "WeightError: a.h5 is damaged: reading it ended by a failed check");
  const std::string endless = in_child([](int) {
    volatile unsigned turns = 0;
    while (true) turns = turns + 1;
  });
  EXPECT_TRUE(says(endless, "CPU time limit") || says(endless, "Killed")) << endless;
}

}  // namespace
}  // namespace impasto
