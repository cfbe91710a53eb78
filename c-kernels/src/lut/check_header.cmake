# cmake -DHEADER=bitnet-lut-kernels.h -P check_header.cmake
#
# Prints the plan's hash of a header that is as it was generated; says what is wrong with any other.
file(READ ${HEADER} text)
if(NOT text MATCHES "^/\\*\n \\* bitnet-lut-kernels\\.h: .*\n \\* plan  ([0-9a-f]+)\n \\* text  ([0-9a-f]+)\n")
  message(FATAL_ERROR "${HEADER}: no header that Tern generated: its first comment names no plan and text. "
    "Generate one with `tern kernels`.")
endif()
set(plan ${CMAKE_MATCH_1})
set(expected ${CMAKE_MATCH_2})
if(CMAKE_MATCH_0 MATCHES "For the ggml of bitnet\\.cpp")
  message(FATAL_ERROR "${HEADER}: made for bitnet.cpp, which it is to be built into. Generate one for Tern with "
    "`tern kernels`.")
endif()
string(FIND "${text}" "\n */\n" end)
string(FIND "${text}" "*/" first)
math(EXPR expected_first "${end} + 2")
if(NOT end EQUAL -1 AND NOT first EQUAL expected_first)
  message(FATAL_ERROR "${HEADER}: edited since it was generated: its first comment ends before its list of kernels does. "
    "Generate it again with `tern kernels`.")
endif()
math(EXPR begin "${end} + 5")
string(SUBSTRING "${text}" ${begin} -1 body)
string(SHA256 found "${body}")
if(NOT found STREQUAL expected)
  message(FATAL_ERROR "${HEADER}: edited or cut short since it was generated: the SHA-256 of its text is ${found}, "
    "expected ${expected}. Generate it again with `tern kernels`; tiles are changed in kernel_config.ini.")
endif()
if(NOT body MATCHES "#define LUT_PLAN \"([0-9a-f]+)\"\n" OR NOT CMAKE_MATCH_1 STREQUAL plan)
  message(FATAL_ERROR "${HEADER}: edited since it was generated: its first comment names the plan ${plan}, its kernels "
    "are those of ${CMAKE_MATCH_1}. Generate it again with `tern kernels`; tiles are changed in kernel_config.ini.")
endif()
execute_process(COMMAND ${CMAKE_COMMAND} -E echo ${plan})
