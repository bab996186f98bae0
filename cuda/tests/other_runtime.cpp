// What an implementation of the CUDA runtime may lack besides NVIDIA's: loading the code of users' environments. Gives way to
// its own functions where it has them; never linked with NVIDIA's runtime.
#include <cuda_runtime.h>

extern "C" {

__attribute__((weak)) cudaError_t cudaLibraryLoadData(cudaLibrary_t *, const void *, cudaJitOption *, void **, unsigned,
                                                      cudaLibraryOption *, void **, unsigned) {
  return cudaErrorNotSupported;
}
__attribute__((weak)) cudaError_t cudaLibraryGetKernel(cudaKernel_t *, cudaLibrary_t, const char *) {
  return cudaErrorNotSupported;
}
__attribute__((weak)) cudaError_t cudaLibraryUnload(cudaLibrary_t) { return cudaErrorNotSupported; }

}  // extern "C"
