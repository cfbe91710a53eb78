# cmake -DPROGRAM=tern_abi_test [-DEMULATOR=qemu-...] -DHEADER=tern_kernels.h -DLIBRARY=libtern.so -DNM=nm -DSOURCE=folder
#   -P abi.cmake
#
# What ships: the library carries the hash of this header, exports the functions that the header marks and nothing else,
# and holds no path of the machine it was built on.
execute_process(COMMAND ${EMULATOR} ${PROGRAM} OUTPUT_VARIABLE carried OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE status)
file(SHA256 ${HEADER} expected)
if(NOT status EQUAL 0 OR NOT carried STREQUAL expected)
  message(FATAL_ERROR "the library carries ${carried} (status ${status}), the header is ${expected}")
endif()

file(READ ${HEADER} text)
string(REGEX MATCHALL "TERN_API [a-z][^(]*\\(" declarations "${text}")
set(expected)
foreach(declaration ${declarations})
  string(REGEX REPLACE "^.*[ *](tern_[a-z_]+)\\($" "\\1" name "${declaration}")
  list(APPEND expected ${name})
endforeach()
execute_process(COMMAND ${NM} --dynamic --defined-only --format=posix ${LIBRARY} OUTPUT_VARIABLE symbols
  RESULT_VARIABLE status)
string(REGEX MATCHALL "[^\n]+" lines "${symbols}")
set(exported)
foreach(line ${lines})
  string(REGEX REPLACE " .*" "" name "${line}")
  list(APPEND exported ${name})
endforeach()
list(SORT expected)
list(SORT exported)
if(NOT status EQUAL 0 OR NOT exported STREQUAL expected)
  message(FATAL_ERROR "the library exports ${exported}, the header declares ${expected}")
endif()

file(STRINGS ${LIBRARY} paths REGEX "${SOURCE}")
if(paths)
  message(FATAL_ERROR "the library holds paths of this machine: ${paths}")
endif()
message("hash ${carried}, ${exported}")
