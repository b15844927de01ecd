# Builds EMBED/main.cc with the compiler alone and what pkg-config says, and runs it.
set(ENV{PKG_CONFIG_PATH} ${PREFIX}/${LIBDIR}/pkgconfig)
execute_process(COMMAND pkg-config --cflags --static --libs impasto OUTPUT_VARIABLE flags OUTPUT_STRIP_TRAILING_WHITESPACE
  COMMAND_ERROR_IS_FATAL ANY)
message(STATUS "pkg-config says ${flags}")
separate_arguments(flags UNIX_COMMAND "${flags}")
execute_process(COMMAND ${CXX} ${EMBED}/main.cc -o ${WORK}/embed_with_pkg_config ${flags} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${WORK}/embed_with_pkg_config COMMAND_ERROR_IS_FATAL ANY)
