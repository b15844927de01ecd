# Installs BUILD and moves the result to PREFIX: nothing in it may remember where it was installed first.
file(REMOVE_RECURSE ${WORK}/staging ${PREFIX})
execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD} --config ${CONFIG} --prefix ${WORK}/staging OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
file(RENAME ${WORK}/staging ${PREFIX})

# Nor may it point into the build or the source tree.
file(GLOB_RECURSE texts ${PREFIX}/*.cmake ${PREFIX}/*.pc)
foreach(text IN LISTS texts)
  file(READ ${text} content)
  foreach(place ${WORK} ${BUILD})
    string(FIND "${content}" "${place}" position)
    if(NOT position EQUAL -1)
      message(FATAL_ERROR "${text} names ${place}")
    endif()
  endforeach()
endforeach()
