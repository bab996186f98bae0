// GPUs as `swarmgrad devices` and --device meet them, in processes of their own: a driver without a
// toolkit, parts of it missing or refusing, none at all.
package org.swarmgrad.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.bytedeco.javacpp.Loader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.swarmgrad.cli.Main;

class DevicesTest {
  private static final String NO_DRIVER = "CUDA says 35: found no driver; install one";

  @TempDir Path folder;

  private record Output(int status, String out, String err) {
    JsonNode gpu(int index) throws IOException {
      JsonNode json =
          new ObjectMapper().readTree(out.lines().reduce((first, last) -> last).orElseThrow());
      return json.at("/cuda/devices/" + index);
    }
  }

  /** The command line in a process with such a driver and only some of the class path. */
  private Output run(
      FakeDriver driver, Map<String, String> variables, Predicate<String> jars, String... arguments)
      throws Exception {
    return run(driver.engine(), driver, variables, jars, arguments);
  }

  private Output run(
      Path engine,
      FakeDriver driver,
      Map<String, String> variables,
      Predicate<String> jars,
      String... arguments)
      throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--enable-native-access=ALL-UNNAMED");
    command.add(
        "-Dorg.bytedeco.javacpp.cachedir=" + System.getProperty("org.bytedeco.javacpp.cachedir"));
    command.add("-Dorg.swarmgrad.library.cuda=" + engine);
    String path = System.getProperty("java.class.path");
    command.add("-cp");
    command.add(
        Stream.of(path.split(File.pathSeparator)).filter(jars).collect(Collectors.joining(":")));
    command.add(Main.class.getName());
    command.addAll(List.of(arguments));
    File err = folder.resolve("err").toFile();
    ProcessBuilder builder = new ProcessBuilder(command).redirectError(err);
    builder.environment().put("LD_LIBRARY_PATH", driver.folder().toString());
    builder.environment().putAll(variables);
    Process process = builder.start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Output(process.waitFor(), out, Files.readString(err.toPath()));
  }

  private Output run(FakeDriver driver, Map<String, String> variables, String... arguments)
      throws Exception {
    return run(driver, variables, jar -> true, arguments);
  }

  @Test
  void everyGpuIsListedWithItsOwnSensors() throws Exception {
    FakeDriver driver = FakeDriver.make(folder).withEmptyLibraries().withManagement();
    Output text = run(driver, Map.of(), "devices");
    assertThat(text.out)
        .contains("cuda    Fake GPU 0", "cuda:1  Fake GPU 1")
        .contains("compute capability 9.0, 101 multiprocessors, 80.0 GB of memory, 79.0 GB free")
        .contains("driver for CUDA 13.0, engine built with CUDA 12.8, PCI bus 00000000:a1:00.0")
        .contains("driver 580.65.06", "utilisation 30 percent", "temperature 41 celsius");
    assertThat(text.err).isEmpty();
    JsonNode second = run(driver, Map.of(), "devices", "--json").gpu(1);
    assertThat(second.at("/name").asText()).isEqualTo("Fake GPU 1");
    assertThat(second.at("/memory_bytes").asLong()).isEqualTo(80_000_000_000L);
    assertThat(second.at("/telemetry/driver_version").asText()).isEqualTo("580.65.06");
    assertThat(second.at("/telemetry/temperature_celsius").asInt()).isEqualTo(41);
    assertThat(second.at("/telemetry/memory_utilisation_percent").asInt()).isEqualTo(10);
    assertThat(second.at("/telemetry/clock_mhz").asInt()).isEqualTo(1980);
    assertThat(second.at("/telemetry/memory_clock_mhz").asInt()).isEqualTo(2619);
  }

  @Test
  void aSensorThatAnswersNothingIsSaidAndTheOthersStand() throws Exception {
    FakeDriver driver = FakeDriver.make(folder).withEmptyLibraries().withManagement();
    Map<String, String> divided = Map.of("FAKE_NVML_UTILISATION", "3", "FAKE_NVML_DRIVER", "99");
    JsonNode now = run(driver, divided, "devices", "--json").gpu(0).path("telemetry");
    assertThat(now.path("utilisation_percent").isNull()).isTrue();
    assertThat(now.path("utilisation_percent_reason").asText()).isEqualTo("Not Supported");
    assertThat(now.path("driver_version").asText()).isEqualTo("unknown (Other)");
    assertThat(now.path("temperature_celsius").asInt()).isEqualTo(40);
    Output text = run(driver, Map.of("FAKE_NVML_TEMPERATURE", "3"), "devices");
    assertThat(text.out).contains("temperature unknown: Not Supported", "utilisation 30 percent");
  }

  @Test
  void aManagementLibraryThatRefusesIsSaid() throws Exception {
    FakeDriver driver = FakeDriver.make(folder).withEmptyLibraries().withManagement();
    assertThat(unknown(run(driver, Map.of("FAKE_NVML_INIT", "9"), "devices", "--json")))
        .isEqualTo("NVML's nvmlInit answers: Driver Not Loaded");
    assertThat(unknown(run(driver, Map.of("FAKE_NVML_HANDLE", "6"), "devices", "--json")))
        .isEqualTo("NVML's nvmlDeviceGetHandleByPciBusId 00000000:a0:00.0 answers: Not Found");
  }

  private static String unknown(Output output) throws IOException {
    JsonNode gpu = output.gpu(0);
    assertThat(gpu.path("name").asText()).isEqualTo("Fake GPU 0");
    assertThat(gpu.path("telemetry").isNull()).isTrue();
    assertThat(output.status).isZero();
    return gpu.path("telemetry_reason").asText();
  }

  @Test
  void whatSensorsNeedAndIsMissingIsNamed() throws Exception {
    FakeDriver driver = FakeDriver.make(folder);
    assertThat(unknown(run(driver, Map.of(), "devices", "--json")))
        .startsWith("libcuda.so.1: cannot open shared object file")
        .endsWith("it comes with NVIDIA's driver");
    driver.withEmptyLibraries();
    assertThat(unknown(run(driver, Map.of(), "devices", "--json")))
        .startsWith("libnvidia-ml.so.1: cannot open shared object file")
        .contains("it comes with NVIDIA's driver; a container shows it where");
    driver.withManagement();
    Predicate<String> noNatives = jar -> !jar.matches(".*cuda-[^/]*-linux-x86_64.jar");
    assertThat(unknown(run(driver, Map.of(), noNatives, "devices", "--json")))
        .startsWith("the class path lacks the artifact org.bytedeco:cuda:" + Presets.VERSION)
        .contains("with classifier linux-x86_64");
    Predicate<String> noPresets = jar -> !jar.contains("/org/bytedeco/cuda/");
    assertThat(unknown(run(driver, Map.of(), noPresets, "devices", "--json")))
        .startsWith(
            "the class path lacks the artifact org.bytedeco:cuda:" + Presets.VERSION + " (");
  }

  @Test
  void theVersionOfThePresetsIsThatOfTheBuild() throws IOException {
    assertThat(Path.of("..", "pom.xml"))
        .content()
        .contains("<javacpp-cuda.version>" + Presets.VERSION + "</javacpp-cuda.version>");
  }

  @Test
  void askingForAGpuWhereThereIsNoneFailsWithTheLibrarysReason() throws Exception {
    FakeDriver driver = FakeDriver.make(folder);
    Map<String, String> none = Map.of("FAKE_CUDA_FAILURE", NO_DRIVER);
    Output train = run(driver, none, "train", "--env", "meeting", "--device", "cuda");
    assertThat(train.status).isEqualTo(1);
    assertThat(train.err).isEqualTo("swarmgrad: " + NO_DRIVER + "\n");
    Output devices = run(driver, none, "devices");
    assertThat(devices.out).contains("cuda    none: " + NO_DRIVER);
    assertThat(devices.status).isZero();
  }

  @Test
  void askingForAGpuWithoutTheLibraryNamesTheArtifact() throws Exception {
    Path nowhere = Files.createDirectory(folder.resolve("nowhere"));
    Output eval =
        run(
            new FakeDriver(nowhere),
            Map.of(),
            "eval",
            "--random",
            "--env",
            "meeting",
            "--device",
            "cuda");
    assertThat(eval.status).isEqualTo(1);
    assertThat(eval.err)
        .startsWith("swarmgrad: -Dorg.swarmgrad.library.cuda=" + nowhere)
        .contains(" names no file; add the artifact org.swarmgrad:swarmgrad with classifier")
        .containsOnlyOnce("\n");
  }

  /**
   * The engine that nvcc built, which answers for itself: its CUDA runtime is linked statically.
   */
  @Test
  void theRealEngineWithoutADriverSaysWhatToDo() throws Exception {
    String library = Loader.getPlatform() + "/libswarmgrad_cuda.so";
    Path engine = Path.of(System.getProperty("native.build"), "platform", library);
    assumeTrue(Files.exists(engine), "this build has no CUDA engine");
    FakeDriver none = new FakeDriver(Files.createDirectory(folder.resolve("none")));
    String[] eval = {
      "eval", "--random", "--env", "meeting", "--episodes", "16", "--device", "cuda"
    };
    Output cuda = run(engine.toAbsolutePath(), none, Map.of(), jar -> true, eval);
    assumeTrue(cuda.status != 0, "this machine has a GPU");
    assertThat(cuda.status).isEqualTo(1);
    assertThat(cuda.err)
        .startsWith("swarmgrad: cudaGetDeviceCount")
        .contains(
            "cudaErrorInsufficientDriver", "35", "no NVIDIA driver is installed; install a driver")
        .containsOnlyOnce("\n");
    eval[eval.length - 1] = "auto";
    Output auto = run(engine.toAbsolutePath(), none, Map.of(), jar -> true, eval);
    assertThat(auto.status).isZero();
    assertThat(auto.err)
        .isEqualTo("swarmgrad: device auto is cpu: " + cuda.err.substring("swarmgrad: ".length()));
  }

  @Test
  void autoFallsBackToTheCpuAndSaysSoOnce() throws Exception {
    FakeDriver driver = FakeDriver.make(folder);
    Output eval =
        run(
            driver,
            Map.of("FAKE_CUDA_FAILURE", NO_DRIVER),
            "eval",
            "--random",
            "--env",
            "meeting",
            "--episodes",
            "16",
            "--device",
            "auto");
    assertThat(eval.status).isZero();
    assertThat(eval.out).contains("16 episodes, random actions");
    assertThat(eval.err).isEqualTo("swarmgrad: device auto is cpu: " + NO_DRIVER + "\n");
  }

  @Test
  void autoTakesTheGpuWhereTheLibraryReportsOne() throws Exception {
    FakeDriver driver = FakeDriver.make(folder);
    Output eval = run(driver, Map.of(), "eval", "--random", "--env", "meeting", "--device", "auto");
    assertThat(eval.err).startsWith("swarmgrad: the engine library returned status 2");
  }
}
