#include "engine/image_io/metadata.h"

#include <glib.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <set>
#include <string_view>

namespace impasto {
namespace {

// text as UTF-8 with what is not UTF-8 replaced by U+FFFD, and without the control characters that XML and PNG text forbid.
std::string clean_text(std::string_view text) {
  const std::unique_ptr<char, decltype(&g_free)> valid(g_utf8_make_valid(text.data(), static_cast<gssize>(text.size())), g_free);
  std::string clean(valid.get());
  std::replace_if(
      clean.begin(), clean.end(), [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7f; },
      ' ');
  return clean;
}

// CRC-32 as ISO 3309 and the PNG specification (annex D) define it.
std::uint32_t crc32(std::string_view bytes) {
  std::uint32_t crc = 0xffffffffu;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320u : 0u);
  }
  return ~crc;
}

std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xff);
  return bytes;
}

std::string png_chunk(std::string_view type, std::string_view data) {
  const std::string body = std::string(type) + std::string(data);
  return big_endian(static_cast<std::uint32_t>(data.size())) + body + big_endian(crc32(body));
}

std::string xml_escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

}  // namespace

std::string png_chunks(const std::map<std::string, std::string>& metadata) {
  constexpr char kPerceptual = 0;
  std::string chunks = png_chunk("sRGB", std::string_view(&kPerceptual, 1));
  for (const auto& [key, value] : metadata) {
    const std::string text = clean_text(value);
    const bool ascii = std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    // iTXt: keyword, 0, not compressed (two bytes), no language, no translated keyword.
    const std::string separator = ascii ? std::string(1, '\0') : std::string(5, '\0');
    chunks += png_chunk(ascii ? "tEXt" : "iTXt", key + separator + text);
  }
  return chunks;
}

std::string xmp_packet(const std::map<std::string, std::string>& metadata) {
  std::string packet =
      "<?xpacket begin=\"\xef\xbb\xbf\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n"
      "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\n"
      "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n"
      "<rdf:Description rdf:about=\"\" xmlns:impasto=\"urn:impasto:\">\n";
  std::set<std::string> names;
  for (const auto& [key, value] : metadata) {
    std::string name = key;
    std::replace_if(
        name.begin(), name.end(), [](char c) { return c == ' ' || c == ':'; }, '_');
    if (!names.insert(name).second) continue;
    packet += "<impasto:" + name + ">" + xml_escaped(clean_text(value)) + "</impasto:" + name + ">\n";
  }
  return packet + "</rdf:Description>\n</rdf:RDF>\n</x:xmpmeta>\n<?xpacket end=\"r\"?>";
}

}  // namespace impasto
