# Configures, builds and runs the foreign project EMBED against PREFIX.
get_filename_component(name ${EMBED} NAME)
set(build ${WORK}/${name})
file(REMOVE_RECURSE ${build})
execute_process(
  COMMAND ${CMAKE_COMMAND} -S ${EMBED} -B ${build} -G Ninja -DCMAKE_PREFIX_PATH=${PREFIX} -DCMAKE_CXX_COMPILER=${CXX} -DCMAKE_BUILD_TYPE=Release
  COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${build} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${build}/${name} WORKING_DIRECTORY ${build} COMMAND_ERROR_IS_FATAL ANY)
