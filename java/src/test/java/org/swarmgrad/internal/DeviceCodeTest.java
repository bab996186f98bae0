// Device code of users' headers: the cache around a compiler, what nvcc and NVRTC are told, and
// what
// is said where neither is there. What the code computes is tested with the engine.
package org.swarmgrad.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.swarmgrad.CompilationException;
import org.swarmgrad.EnvironmentSource;
import org.swarmgrad.EnvironmentSpec;

class DeviceCodeTest {
  @TempDir Path folder;
  private Path header;
  private Path headers;

  @BeforeEach
  void writeHeader() throws IOException {
    header = Files.writeString(folder.resolve("my game.hpp"), EnvironmentSpec.template());
    headers = EngineHeaders.unpack(folder.resolve("headers"));
  }

  private EnvironmentSource source() {
    return new EnvironmentSource(header, Digests.sha256(List.of(header)), List.of(header));
  }

  /** Counts, and writes what it was told. */
  private static final class Counter implements DeviceCompiler {
    private final String identity;
    private int compilations;

    Counter(String identity) {
      this.identity = identity;
    }

    @Override
    public String identity() {
      return identity;
    }

    @Override
    public void compile(Path headers, Path header, Path code) throws IOException {
      compilations++;
      Files.writeString(code, identity + " " + header);
    }
  }

  @Test
  void whatDecidesTheCodeDecidesTheEntry() throws IOException {
    Counter compiler = new Counter("one");
    DeviceCode code = new DeviceCode(folder.resolve("cache"), compiler);
    assertThat(code.of(source())).asString().isEqualTo("one " + header);
    assertThat(code.of(source())).asString().isEqualTo("one " + header);
    assertThat(compiler.compilations).isEqualTo(1);
    Counter newer = new Counter("two");
    assertThat(new DeviceCode(code.cache(), newer).of(source())).asString().startsWith("two");
    Files.writeString(header, "// changed\n" + EnvironmentSpec.template());
    code.of(source());
    assertThat(compiler.compilations).isEqualTo(2);
  }

  @Test
  void aDamagedEntryIsMadeAgain() throws IOException {
    Counter compiler = new Counter("one");
    DeviceCode code = new DeviceCode(folder.resolve("cache"), compiler);
    byte[] whole = code.of(source());
    try (var files = Files.walk(code.cache())) {
      Path entry = files.filter(file -> file.endsWith("environment.ptx")).findFirst().orElseThrow();
      Files.write(entry, new byte[] {1});
    }
    assertThat(code.of(source())).isEqualTo(whole);
    assertThat(compiler.compilations).isEqualTo(2);
  }

  @Test
  void aHeaderThatIsNoLongerWhatWasLoadedIsRefused() throws IOException {
    EnvironmentSource loaded = source();
    Files.writeString(header, "// changed\n" + EnvironmentSpec.template());
    assertThatThrownBy(() -> new DeviceCode(folder.resolve("cache"), new Counter("one")).of(loaded))
        .isInstanceOf(CompilationException.class)
        .hasMessageStartingWith(header + " has changed since it was loaded; allowed: one content");
  }

  private Programs withNvcc(String script) throws IOException {
    Path nvcc = Files.writeString(folder.resolve("nvcc"), "#!/bin/sh\n" + script + "\n");
    Files.setPosixFilePermissions(nvcc, PosixFilePermissions.fromString("rwx------"));
    return new Programs(folder + ":" + System.getenv("PATH"));
  }

  @Test
  void nvccIsToldTheFlagsOfTheKernels() throws IOException {
    Programs programs =
        withNvcc(
            "for word; do [ \"$last\" = -o ] && code=$word; last=$word; done;"
                + " printf '%s\\n' \"$@\" > \"$code\"");
    Path code = folder.resolve("code");
    new Nvcc(programs, Nvcc.find(programs, "")).compile(headers, header, code);
    List<String> flags = EnvironmentCompiler.flags(headers).get("device");
    assertThat(flags)
        .contains("--fmad=false", "--ftz=false", "--prec-div=true", "--prec-sqrt=true");
    assertThat(Files.readAllLines(code))
        .containsAll(flags)
        .contains("-ptx", "--gpu-architecture=compute_75", "-include", header.toString());
  }

  @Test
  void nvccsMessagesReachTheUser() throws IOException {
    Programs programs = withNvcc("echo 'my game.hpp(7): error: no'; exit 2");
    Nvcc nvcc = new Nvcc(programs, Nvcc.find(programs, ""));
    assertThatThrownBy(() -> nvcc.compile(headers, header, folder.resolve("code")))
        .isInstanceOf(CompilationException.class)
        .hasMessageStartingWith(header + " does not compile with " + folder.resolve("nvcc"))
        .extracting(failure -> ((CompilationException) failure).diagnostics())
        .isEqualTo("my game.hpp(7): error: no\n");
  }

  @Test
  void cudaPathComesBeforeThePath() throws IOException {
    Programs programs = withNvcc("exit 0");
    Path toolkit = Files.createDirectories(folder.resolve("toolkit/bin"));
    Path nvcc = Files.copy(folder.resolve("nvcc"), toolkit.resolve("nvcc"));
    assertThat(Nvcc.find(programs, folder.resolve("toolkit").toString())).isEqualTo(nvcc);
    assertThat(Nvcc.find(programs, "")).isEqualTo(folder.resolve("nvcc"));
  }

  @Test
  void aRealNvccMakesTheKernelOfTheTemplate() throws IOException {
    Programs programs = new Programs(System.getenv("PATH"));
    Path nvcc = Nvcc.find(programs, "");
    assumeTrue(nvcc != null, "no nvcc on this machine");
    DeviceCode code = new DeviceCode(folder.resolve("cache"), new Nvcc(programs, nvcc));
    assertThat(code.of(source()))
        .asString(StandardCharsets.US_ASCII)
        .contains(".entry swarmgrad_rollout", ".target sm_75");
    Files.writeString(header, EnvironmentSpec.template().replace("return 50;", "return fifty;"));
    assertThatThrownBy(() -> code.of(source()))
        .isInstanceOf(CompilationException.class)
        .extracting(failure -> ((CompilationException) failure).diagnostics())
        .asString()
        .contains("my game.hpp", "fifty");
  }

  /** NVRTC has no system headers, and few builtins: a preprocessor that has none either agrees. */
  @Test
  void theHeadersNeedNothingThatNvrtcLacks() throws IOException {
    Path unit = folder.resolve("unit.ii");
    List<String> command =
        new ArrayList<>(List.of("c++", "-E", "-P", "-x", "c++", "-std=c++20", "-nostdinc"));
    command.addAll(
        List.of(
            "-D__CUDACC__",
            "-D__CUDACC_RTC__",
            "-D__CUDA_ARCH__=750",
            "-DSWARMGRAD_TARGET=device"));
    command.addAll(List.of("-I" + headers, "-I" + headers.resolve("cuda/nvrtc")));
    command.addAll(List.of("-include", headers.resolve("cuda/nvrtc/builtins.h").toString()));
    command.addAll(List.of("-include", header.toString(), "-o", unit.toString()));
    command.add(DeviceCompiler.unit(headers).toString());
    Programs.Result result = new Programs(System.getenv("PATH")).run(command);
    assertThat(result.status()).as(result.messages()).isZero();
    assertThat(Pattern.compile("__builtin_\\w+").matcher(Files.readString(unit)).results())
        .extracting(match -> match.group())
        .isSubsetOf("__builtin_bit_cast", "__builtin_assume", "__builtin_offsetof");
  }

  /** A machine with a driver and nothing else; prints what compiling says. */
  static final class WithoutToolkit {
    public static void main(String[] arguments) throws IOException {
      Path folder = Path.of(arguments[0]);
      try {
        new Nvrtc().compile(EngineHeaders.unpack(folder), folder, folder.resolve("code"));
      } catch (CompilationException failure) {
        System.out.println(failure.getMessage());
      }
    }
  }

  @Test
  void withoutNvccAndNvrtcTheArtifactIsNamed() throws Exception {
    FakeDriver driver = FakeDriver.make(folder).withEmptyLibraries();
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--enable-native-access=ALL-UNNAMED");
    command.add("-Dorg.bytedeco.javacpp.cachedir=" + folder.resolve("cache"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(WithoutToolkit.class.getName(), folder.toString()));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("LD_LIBRARY_PATH", driver.folder().toString());
    Process process = builder.start();
    String message = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assumeTrue(!message.contains("does not compile"), "NVRTC is installed on this machine");
    assertThat(message)
        .startsWith(
            "an environment in a header needs nvcc (CUDA_PATH, PATH, /usr/local/cuda) or NVRTC")
        .contains("libnvrtc.so.13: cannot open shared object file")
        .contains("the artifact org.bytedeco:cuda-redist:" + Presets.VERSION)
        .contains("classifier linux-x86_64");
  }
}
