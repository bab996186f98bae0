# Everything compiled once per instruction set: its flags, its object library, its test executables.

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  set(SWARMGRAD_INSTRUCTION_SETS avx2 avx512)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
  set(SWARMGRAD_INSTRUCTION_SETS neon)
else()
  message(FATAL_ERROR "swarmgrad runs on x86-64 and aarch64; this build is for ${CMAKE_SYSTEM_PROCESSOR}")
endif()

# SWARMGRAD_FLAGS_<use> for every use in compile_flags.txt.
file(STRINGS "${CMAKE_CURRENT_LIST_DIR}/compile_flags.txt" _uses REGEX "^[a-z]")
foreach(_use IN LISTS _uses)
  string(REPLACE " " ";" _flags "${_use}")
  list(POP_FRONT _flags _name)
  set(SWARMGRAD_FLAGS_${_name} ${_flags})
endforeach()

# Compiles a target for one instruction set, in the namespace of that name.
function(swarmgrad_target_instruction_set TARGET ISA)
  string(TOUPPER "${ISA}" _upper)
  target_compile_definitions(${TARGET} PRIVATE SWARMGRAD_TARGET=${ISA} SWARMGRAD_LANES_${_upper}=1)
  target_compile_options(${TARGET} PRIVATE ${SWARMGRAD_FLAGS_${ISA}})
  if(SWARMGRAD_SANITIZE MATCHES "address")
    # In fully inlined kernels this one check of the address sanitizer costs g++ minutes.
    target_compile_options(${TARGET} PRIVATE -fno-sanitize-address-use-after-scope)
  endif()
endfunction()
