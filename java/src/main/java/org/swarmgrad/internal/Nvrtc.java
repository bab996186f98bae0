// A user's header to PTX by NVIDIA's compiler library, through the JavaCPP CUDA presets; for
// machines
// without a toolkit. It has no system headers: cuda/nvrtc stands in for the few that are needed.
package org.swarmgrad.internal;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import org.bytedeco.cuda.global.nvrtc;
import org.bytedeco.cuda.nvrtc._nvrtcProgram;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.javacpp.SizeTPointer;
import org.swarmgrad.CompilationException;
import org.swarmgrad.LibraryException;

final class Nvrtc implements DeviceCompiler {
  @Override
  public String identity() {
    return use(
        () -> {
          int[] major = new int[1];
          int[] minor = new int[1];
          require("nvrtcVersion", nvrtc.nvrtcVersion(major, minor));
          return "NVRTC " + major[0] + "." + minor[0];
        });
  }

  @Override
  public void compile(Path headers, Path header, Path code) throws IOException {
    String unit = Files.readString(DeviceCompiler.unit(headers));
    List<String> options = new ArrayList<>(DeviceCompiler.options(headers));
    options.add("-I" + headers.resolve("cuda/nvrtc"));
    options.add("--pre-include=" + headers.resolve("cuda/nvrtc/builtins.h"));
    options.add("--pre-include=" + header);
    Files.write(code, use(() -> compile(unit, options, header)));
  }

  private byte[] compile(String unit, List<String> options, Path header) {
    _nvrtcProgram program = new _nvrtcProgram();
    try (BytePointer text = new BytePointer(unit, StandardCharsets.UTF_8);
        BytePointer name = new BytePointer("user_environment.cu", StandardCharsets.UTF_8);
        PointerPointer<BytePointer> arguments =
            new PointerPointer<>(options.toArray(String[]::new))) {
      PointerPointer<BytePointer> none = new PointerPointer<>();
      require("nvrtcCreateProgram", nvrtc.nvrtcCreateProgram(program, text, name, 0, none, none));
      int status = nvrtc.nvrtcCompileProgram(program, options.size(), arguments);
      byte[] log = read(program, nvrtc::nvrtcGetProgramLogSize, nvrtc::nvrtcGetProgramLog);
      EnvironmentCompiler.require(
          status == nvrtc.NVRTC_SUCCESS,
          header,
          List.of(identity()),
          new String(log, StandardCharsets.UTF_8));
      return read(program, nvrtc::nvrtcGetPTXSize, nvrtc::nvrtcGetPTX);
    } finally {
      nvrtc.nvrtcDestroyProgram(program);
    }
  }

  /** A text of the program without its final zero. */
  private static byte[] read(
      _nvrtcProgram program,
      BiFunction<_nvrtcProgram, SizeTPointer, Integer> size,
      BiFunction<_nvrtcProgram, BytePointer, Integer> text) {
    try (SizeTPointer bytes = new SizeTPointer(1)) {
      require("nvrtcGet...Size", size.apply(program, bytes));
      try (BytePointer memory = new BytePointer(bytes.get())) {
        require("nvrtcGet...", text.apply(program, memory));
        byte[] result = new byte[(int) bytes.get() - 1];
        memory.get(result);
        return result;
      }
    }
  }

  private static void require(String call, int status) {
    if (status != nvrtc.NVRTC_SUCCESS) {
      throw new LibraryException(
          "NVRTC's " + call + " answers: " + nvrtc.nvrtcGetErrorString(status).getString());
    }
  }

  /** Without the library the way out is named. */
  private static <T> T use(Supplier<T> call) {
    try {
      return Presets.use(call);
    } catch (CompilationException failure) {
      throw failure;
    } catch (LibraryException missing) {
      throw new CompilationException(
          "an environment in a header needs nvcc (CUDA_PATH, PATH, /usr/local/cuda) or NVRTC to run"
              + " on a GPU, and neither was found: "
              + missing.getMessage(),
          "");
    }
  }
}
