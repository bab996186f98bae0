# Who may depend on whom: bench -> java -> swarmgrad.h <- native/cpu, cuda -> native/host
# -> native/environments -> native/core. Never back.
cmake_minimum_required(VERSION 3.25)

# Headers that NVRTC has, or that stand behind a guard which hides them from it.
set(_device_headers stdint.h stddef.h cstdint cstddef immintrin.h arm_neon.h)

function(complain FILE LINE WHY)
  file(RELATIVE_PATH _file "${SOURCE}" "${FILE}")
  message(SEND_ERROR "${_file}: ${LINE}\n  ${WHY}")
endfunction()

# Every quoted include of FOLDER's files must match ALLOWED.
function(check_includes FOLDER ALLOWED WHY)
  file(GLOB_RECURSE _files "${SOURCE}/${FOLDER}/*.h" "${SOURCE}/${FOLDER}/*.cpp" "${SOURCE}/${FOLDER}/*.c"
       "${SOURCE}/${FOLDER}/*.cu" "${SOURCE}/${FOLDER}/*.in")
  foreach(_file IN LISTS _files)
    file(STRINGS "${_file}" _lines REGEX "^[ \t]*#[ \t]*include[ \t]*\"")
    foreach(_line IN LISTS _lines)
      string(REGEX REPLACE ".*\"(.*)\".*" "\\1" _header "${_line}")
      if(NOT _header MATCHES "${ALLOWED}")
        complain("${_file}" "${_line}" "${WHY}")
      endif()
    endforeach()
  endforeach()
endfunction()

check_includes(native/include "^$" "the C ABI stands alone: a user's compiler sees nothing but this header")
check_includes(native/core "^(core/)?[a-z0-9_]+\\.h$" "core is the mathematics for both devices and knows only core/")
check_includes(native/environments "^(core|environments)/" "an environment knows only core/ and what environments share: it is compiled for both devices and without an engine")
check_includes(native/host "^(core|environments|host)/|^swarmgrad/swarmgrad\\.h$|^catalogue\\.inc$|^@SWARMGRAD_ENVIRONMENT_HEADER@$"
               "what every engine library holds knows core/, environments/, its own files and the ABI, and no engine")
check_includes(native/cpu "^(core|environments|host|cpu)/|^swarmgrad/swarmgrad\\.h$|^catalogue\\.inc$"
               "the CPU engine knows core/, environments/, host/, its own files and the ABI")
check_includes(cuda "^(core|environments|host|cuda|tests)/|^swarmgrad/swarmgrad\\.h$|^catalogue\\.inc$|^@SWARMGRAD_ENVIRONMENT_HEADER@$|^doctest/doctest\\.h$"
               "the CUDA engine knows core/, environments/, host/, its own files and the ABI; the two engines never meet")

# core/ and environments/ are compiled by NVRTC, which has almost no standard header.
file(GLOB_RECURSE _files "${SOURCE}/native/core/*" "${SOURCE}/native/environments/*")
foreach(_file IN LISTS _files)
  file(STRINGS "${_file}" _lines REGEX "^[ \t]*#[ \t]*include[ \t]*<")
  foreach(_line IN LISTS _lines)
    string(REGEX REPLACE ".*<(.*)>.*" "\\1" _header "${_line}")
    if(NOT _header IN_LIST _device_headers)
      complain("${_file}" "${_line}" "allowed in headers for both devices: ${_device_headers}")
    endif()
  endforeach()
endforeach()

# Every line of Java below FOLDER that matches PATTERN is a fault, but for files whose path matches EXCEPT.
function(check_java FOLDER PATTERN EXCEPT WHY)
  file(GLOB_RECURSE _files "${SOURCE}/${FOLDER}/*.java")
  foreach(_file IN LISTS _files)
    if(EXCEPT AND _file MATCHES "${EXCEPT}")
      continue()
    endif()
    file(STRINGS "${_file}" _lines REGEX "${PATTERN}")
    foreach(_line IN LISTS _lines)
      complain("${_file}" "${_line}" "${WHY}")
    endforeach()
  endforeach()
endfunction()

check_java(java/src/main "java\\.lang\\.foreign|org\\.bytedeco" "/org/swarmgrad/internal/"
           "only org.swarmgrad.internal binds native code: a change of binding must touch one package")
check_java(bench/src "java\\.lang\\.foreign|org\\.bytedeco" "/bench/JniBinding\\.java$"
           "bench calls the library as its users do; only the JNI binding that calls are compared with binds natively")
check_java(java/src/main "^import (static )?org\\.swarmgrad\\.cli\\." "/org/swarmgrad/cli/"
           "the library does not know the command line")
check_java(java/src "^import (static )?org\\.swarmgrad\\.bench\\." "" "bench depends on java, never the other way")

# A check that sees no file can only pass.
foreach(_folder IN ITEMS native/include/swarmgrad native/core native/environments native/host native/cpu cuda java/src/main)
  file(GLOB_RECURSE _files "${SOURCE}/${_folder}/*")
  if(NOT _files)
    message(SEND_ERROR "${_folder} holds no file: folder and check have parted")
  endif()
endforeach()
