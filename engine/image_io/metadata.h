// Text in picture files.
#pragma once

#include <map>
#include <string>

namespace impasto {

// PNG chunks to stand directly after IHDR: sRGB, then one tEXt per entry, or iTXt (UTF-8) where a value is not ASCII.
std::string png_chunks(const std::map<std::string, std::string>& metadata);

// An XMP packet with one property per entry in the namespace "urn:impasto:" (prefix impasto); spaces and colons of a key become
// underscores, and of two keys that become the same the first is kept.
std::string xmp_packet(const std::map<std::string, std::string>& metadata);

}  // namespace impasto
