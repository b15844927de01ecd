// libvips as the rest of this folder uses it: started once, silent, its errors as one line.
#pragma once

#include <vips/vips.h>

#include <memory>
#include <string>

namespace impasto {

struct Unref {
  void operator()(void* object) const { g_object_unref(object); }
};
using VipsImagePtr = std::unique_ptr<VipsImage, Unref>;
using VipsSourcePtr = std::unique_ptr<VipsSource, Unref>;

struct FreeBlob {
  void operator()(VipsBlob* blob) const { vips_area_unref(VIPS_AREA(blob)); }
};
using VipsBlobPtr = std::unique_ptr<VipsBlob, FreeBlob>;

// Starts libvips if this process has not: untrusted loaders blocked, no cache of operations, no warnings on stderr. These settings are the
// process's, so they hold for an embedder's own use of libvips too. Any thread may call it, any number of times. Throws IoError.
void start_vips();

// What libvips last complained of, as one line, and forgets it. Its messages are the process's: two threads that fail in the same moment
// may see each other's. Throws std::bad_alloc where the complaint is that memory ran out.
std::string take_vips_error();

// The sRGB profile built into libvips. start_vips first.
VipsBlobPtr srgb_profile();

bool has_operation(const char* name);

}  // namespace impasto
