#include "tools/impasto/pictures.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "impasto/error.h"
#include "tools/impasto/failure.h"
#include "tools/impasto/files.h"
#include "weights_converter/sha256.h"

namespace impasto::command {

namespace {

WriteOptions write_options(const Settings& settings) {
  WriteOptions options;
  options.bit_depth = settings.bit_depth;
  options.quality = settings.quality;
  return options;
}

Picture read_input(const std::string& path, const Settings& settings, InputFile& file) {
  try {
    ReadOptions options;
    options.max_pixels = settings.max_pixels;
    Picture picture = read_picture(path, options);
    file.path = path;
    file.sha256 = sha256_file(path);
    file.original = {picture.image.width, picture.image.height};
    return picture;
  } catch (const IoError& error) {
    throw Failure(kInputUnreadable, error.what());
  }
}

}  // namespace

void check_outputs(const Settings& settings, const std::string& weights) {
  std::vector<std::string> inputs = settings.styles;
  inputs.push_back(settings.content);
  if (!settings.init_picture.empty()) inputs.push_back(settings.init_picture);
  if (!weights.empty()) inputs.push_back(weights);
  const auto keep_inputs = [&](const std::string& option, const std::string& path) {
    for (const std::string& input : inputs) {
      if (same_file(path, input)) throw Failure(kUsage, option + " would overwrite the input " + input);
    }
  };

  if (!settings.output.empty()) {
    keep_inputs("-o " + settings.output, settings.output);
    check_writable(settings.output, write_options(settings));
  }
  if (settings.save_every > 0) {
    for (int evaluation = settings.save_every; evaluation <= settings.style.iterations; evaluation += settings.save_every) {
      const std::string path = snapshot_path(settings.output, evaluation);
      std::error_code error;
      if (std::filesystem::exists(path, error)) keep_inputs("--save-every", path);
    }
  }
  if (!settings.report.empty()) {
    keep_inputs("--report " + settings.report, settings.report);
    if (!settings.output.empty() && same_file(settings.report, settings.output)) {
      throw Failure(kUsage, "--report and -o name the same file " + settings.report);
    }
    check_text_writable(settings.report);
  }
}

Pictures read_pictures(const Settings& settings, Inputs& inputs) {
  Pictures pictures;
  pictures.content = read_input(settings.content, settings, inputs.content);
  inputs.content.working = working_size(inputs.content.original, settings.sizing);
  for (const std::string& path : settings.styles) {
    InputFile& file = inputs.styles.emplace_back();
    pictures.styles.push_back(read_input(path, settings, file));
    file.working = working_size(file.original, settings.sizing);
  }
  if (settings.style.init == Init::kPicture) {
    pictures.init = read_input(settings.init_picture, settings, inputs.init.emplace());
    inputs.init->working = inputs.content.working;
  }
  return pictures;
}

void resize_pictures(const Settings& settings, const Inputs& inputs, Pictures& pictures) {
  const auto resize_one = [&](Picture& picture, const InputFile& file) {
    picture = resize_picture(std::move(picture), file.working, settings.sizing);
  };
  resize_one(pictures.content, inputs.content);
  for (std::size_t i = 0; i < pictures.styles.size(); ++i) resize_one(pictures.styles[i], inputs.styles[i]);
  if (pictures.init) resize_one(*pictures.init, *inputs.init);
}

void save_picture(const std::string& path, Image image, const Pictures& pictures, const Settings& settings, const Inputs& inputs,
                  int evaluations) {
  WriteOptions options = write_options(settings);
  options.metadata = picture_metadata(settings, inputs);
  options.metadata["impasto:evaluations"] = std::to_string(evaluations);
  write_picture(path, {std::move(image), pictures.content.alpha}, options);
}

}  // namespace impasto::command
