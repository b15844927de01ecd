#include "weights_converter/sha256.h"

#include <openssl/evp.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#include "impasto/error.h"

namespace impasto {
namespace {

class Digest {
 public:
  explicit Digest(const EVP_MD* algorithm) : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    if (!context_ || EVP_DigestInit_ex(context_.get(), algorithm, nullptr) != 1) throw Error("OpenSSL cannot start a checksum");
  }
  void update(const void* data, std::size_t size) {
    if (EVP_DigestUpdate(context_.get(), data, size) != 1) throw Error("OpenSSL cannot continue a checksum");
  }
  std::string finish() {
    unsigned char value[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    if (EVP_DigestFinal_ex(context_.get(), value, &size) != 1) throw Error("OpenSSL cannot finish a checksum");
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (unsigned int i = 0; i < size; ++i) {
      text += kDigits[value[i] >> 4];
      text += kDigits[value[i] & 15];
    }
    return text;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

std::string digest_file(const std::string& path, const EVP_MD* algorithm) {
  const auto fail = [&path] { return IoError("cannot read " + path + ": " + std::strerror(errno)); };
  std::unique_ptr<std::FILE, decltype(&std::fclose)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (!file) throw fail();
  Digest digest(algorithm);
  std::vector<char> block(1 << 20);
  while (const std::size_t got = std::fread(block.data(), 1, block.size(), file.get())) digest.update(block.data(), got);
  if (std::ferror(file.get())) throw fail();
  return digest.finish();
}

}  // namespace

std::string sha256_bytes(std::span<const std::byte> bytes) {
  Digest digest(EVP_sha256());
  digest.update(bytes.data(), bytes.size());
  return digest.finish();
}

std::string sha256_file(const std::string& path) { return digest_file(path, EVP_sha256()); }

std::string md5_file(const std::string& path) { return digest_file(path, EVP_md5()); }

}  // namespace impasto
