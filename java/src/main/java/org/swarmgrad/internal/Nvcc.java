// A user's header to PTX by the CUDA toolkit's own compiler.
package org.swarmgrad.internal;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * An nvcc.
 *
 * @param programs that it finds its C++ compiler among
 * @param nvcc its file
 */
record Nvcc(Programs programs, Path nvcc) implements DeviceCompiler {
  private static final List<String> FOLDERS = List.of("/usr/local/cuda/bin", "/opt/cuda/bin");

  /** Its file: CUDA_PATH, then PATH, then the usual folders; null where there is none. */
  static Path find(Programs programs, String cudaPath) {
    List<String> candidates = new ArrayList<>();
    if (!cudaPath.isEmpty()) {
      candidates.add(Path.of(cudaPath, "bin", "nvcc").toString());
    }
    candidates.add("nvcc");
    FOLDERS.forEach(folder -> candidates.add(folder + "/nvcc"));
    for (String candidate : candidates) {
      Path found = programs.find(candidate);
      if (found != null) {
        return found;
      }
    }
    return null;
  }

  @Override
  public String identity() throws IOException {
    return programs.identity(List.of(nvcc.toString()));
  }

  @Override
  public void compile(Path headers, Path header, Path code) throws IOException {
    List<String> command = new ArrayList<>(List.of(nvcc.toString(), "-ptx"));
    command.addAll(DeviceCompiler.options(headers));
    command.addAll(List.of("-include", header.toString(), "-o", code.toString()));
    command.add(DeviceCompiler.unit(headers).toString());
    Programs.Result result = programs.run(command);
    EnvironmentCompiler.require(
        result.status() == 0, header, List.of(nvcc.toString()), result.messages());
  }
}
