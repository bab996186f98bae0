# CUDA kernels compiled by the C++ compiler and run on the CPU, for tests; never installed, packed or offered to users.

# The folder in which <cuda_runtime.h> is the emulation's.
set(SWARMGRAD_EMULATION_INCLUDE "${PROJECT_SOURCE_DIR}/cuda/emulation")

# swarmgrad_emulated_objects(NAME SOURCES...): the object library NAME of kernels. That their language is C++ holds for the
# calling folder, so nvcc cannot compile the same files there.
function(swarmgrad_emulated_objects NAME)
  add_library(${NAME} OBJECT ${ARGN})
  set_source_files_properties(${ARGN} PROPERTIES LANGUAGE CXX)
  target_link_libraries(${NAME} PRIVATE swarmgrad_flags)
  target_include_directories(${NAME} PRIVATE "${PROJECT_SOURCE_DIR}" "${SWARMGRAD_GENERATED_DIR}")
  target_compile_definitions(${NAME} PRIVATE SWARMGRAD_EMULATION=1 SWARMGRAD_TARGET=device)
  target_compile_options(${NAME} PRIVATE -Wno-unknown-pragmas)
  if("avx2" IN_LIST SWARMGRAD_INSTRUCTION_SETS)
    # Or each fma is a call of libm's.
    target_compile_options(${NAME} PRIVATE ${SWARMGRAD_FLAGS_avx2})
  endif()
  if(SWARMGRAD_SANITIZE MATCHES "address")
    # In fully inlined kernels this one check of the address sanitizer costs g++ minutes.
    target_compile_options(${NAME} PRIVATE -fno-sanitize-address-use-after-scope)
  endif()
  if(SWARMGRAD_SANITIZE MATCHES "thread")
    # See cuda/emulation/fiber.cpp.
    target_compile_options(${NAME} PRIVATE --param=tsan-distinguish-volatile=1)
  endif()
endfunction()

# swarmgrad_emulation: the runtime's objects, for whatever launches kernels, and its header's folder.
file(GLOB _runtime CONFIGURE_DEPENDS "${SWARMGRAD_EMULATION_INCLUDE}/*.cpp")
add_library(swarmgrad_emulation_runtime OBJECT ${_runtime})
target_link_libraries(swarmgrad_emulation_runtime PRIVATE swarmgrad_flags)
target_include_directories(swarmgrad_emulation_runtime PRIVATE "${PROJECT_SOURCE_DIR}" "${SWARMGRAD_EMULATION_INCLUDE}")
if(SWARMGRAD_SANITIZE MATCHES "thread")
  # What the scheduler does to order threads must not look like an order that kernels had asked for.
  set_source_files_properties(${_runtime} PROPERTIES COMPILE_OPTIONS -fno-sanitize=thread)
  target_compile_definitions(swarmgrad_emulation_runtime PRIVATE SWARMGRAD_EMULATION_TSAN=1)
endif()
add_library(swarmgrad_emulation INTERFACE)
target_sources(swarmgrad_emulation INTERFACE "$<TARGET_OBJECTS:swarmgrad_emulation_runtime>")
target_include_directories(swarmgrad_emulation INTERFACE "${PROJECT_SOURCE_DIR}" "${SWARMGRAD_EMULATION_INCLUDE}")
