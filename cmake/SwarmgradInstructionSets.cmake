# Everything compiled once per instruction set: its flags, its object library, its test executables.

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  set(SWARMGRAD_INSTRUCTION_SETS avx2 avx512)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
  set(SWARMGRAD_INSTRUCTION_SETS neon)
else()
  message(FATAL_ERROR "swarmgrad runs on x86-64 and aarch64; this build is for ${CMAKE_SYSTEM_PROCESSOR}")
endif()

set(SWARMGRAD_FLAGS_avx2 -mavx2 -mfma)
set(SWARMGRAD_FLAGS_avx512 -mavx512f -mavx512dq -mavx512bw -mavx512vl -mavx2 -mfma)
set(SWARMGRAD_FLAGS_neon "")
set(SWARMGRAD_FLAGS_scalar "")

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
