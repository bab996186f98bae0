// Makes code for the CUDA engine's device of a user's header: nvcc where a toolkit is installed,
// else
// NVRTC. The flags that decide bits are those of CMake's kernels.
package org.swarmgrad.internal;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A compiler of the template cuda/user_environment.cu around a header. */
interface DeviceCompiler {
  /** Every GPU since runs code for this one: its driver translates PTX. */
  String OLDEST = "--gpu-architecture=compute_75";

  /** Which build of a compiler this is. */
  String identity() throws IOException;

  /**
   * Writes the code.
   *
   * @param headers folder of the engine's headers
   * @param header the user's
   * @param code file to write
   * @throws org.swarmgrad.CompilationException with the compiler's messages
   */
  void compile(Path headers, Path header, Path code) throws IOException;

  /** The one of this machine. */
  static DeviceCompiler standard(Programs programs, String cudaPath) {
    Path nvcc = Nvcc.find(programs, cudaPath);
    return nvcc == null ? new Nvrtc() : new Nvcc(programs, nvcc);
  }

  /** What both compilers are told. */
  static List<String> options(Path headers) throws IOException {
    List<String> options = new ArrayList<>(EnvironmentCompiler.flags(headers).get("device"));
    options.addAll(List.of(OLDEST, "-DSWARMGRAD_TARGET=device", "-I" + headers));
    return options;
  }

  /** The unit that both compile. */
  static Path unit(Path headers) {
    return headers.resolve("cuda/user_environment.cu");
  }
}
