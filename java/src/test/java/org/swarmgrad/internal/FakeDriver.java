// Stands in for a machine with NVIDIA's driver, in tests only: C libraries made on the spot, whose
// answers the variables of a process decide.
package org.swarmgrad.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A folder of libraries.
 *
 * @param folder that the loader of a process searches
 */
record FakeDriver(Path folder) {
  /** An engine library of two GPUs that says what FAKE_CUDA_FAILURE holds, if anything. */
  private static final String ENGINE =
      """
      #include <stdio.h>
      #include <stdlib.h>
      #include <string.h>
      #include "swarmgrad/swarmgrad.h"
      uint32_t swarmgrad_abi_version(void) { return SWARMGRAD_ABI_VERSION; }
      const char *swarmgrad_last_error(void) { return getenv("FAKE_CUDA_FAILURE"); }
      int32_t swarmgrad_struct_sizes(int32_t *sizes, int32_t capacity) {
        static const int32_t all[] = {%s};
        memcpy(sizes, all, sizeof all);
        return sizeof all / sizeof *all;
      }
      swarmgrad_status swarmgrad_device_count(int32_t *count) {
        *count = 2;
        return getenv("FAKE_CUDA_FAILURE") != NULL ? SWARMGRAD_UNSUPPORTED : SWARMGRAD_OK;
      }
      swarmgrad_status swarmgrad_device(int32_t index, swarmgrad_device_info *info) {
        info->compute_major = 9, info->multiprocessors = 100 + index;
        info->driver_version = 13000, info->runtime_version = 12080;
        info->pci_bus = 0xA0 + index;
        info->memory_bytes = 80000000000, info->free_memory_bytes = 79000000000;
        snprintf(info->name, sizeof info->name, "Fake GPU %%d", index);
        return SWARMGRAD_OK;
      }
      """;

  /** A management library: every FAKE_NVML_... is the status that its call answers with. */
  private static final String MANAGEMENT =
      """
      #include <stdint.h>
      #include <stdio.h>
      #include <stdlib.h>
      #include <string.h>
      static int answer(const char *name) { return getenv(name) == NULL ? 0 : atoi(getenv(name)); }
      int nvmlInit_v2(void) { return answer("FAKE_NVML_INIT"); }
      int nvmlShutdown(void) { return 0; }
      const char *nvmlErrorString(int status) {
        return status == 3 ? "Not Supported" : status == 6 ? "Not Found" : status == 9 ? "Driver Not Loaded" : "Other";
      }
      int nvmlDeviceGetHandleByPciBusId_v2(const char *bus, void **device) {
        unsigned domain = 0, number = 0;
        if (sscanf(bus, "%x:%x:00.0", &domain, &number) != 2 || domain != 0) return 6;
        *device = (void *)(uintptr_t)number;
        return answer("FAKE_NVML_HANDLE");
      }
      int nvmlSystemGetDriverVersion(char *version, unsigned size) {
        snprintf(version, size, "580.65.06");
        return answer("FAKE_NVML_DRIVER");
      }
      int nvmlDeviceGetTemperature(void *device, int sensor, unsigned *celsius) {
        *celsius = (unsigned)(uintptr_t)device - 0xA0 + 40;
        return sensor != 0 ? 2 : answer("FAKE_NVML_TEMPERATURE");
      }
      int nvmlDeviceGetUtilizationRates(void *device, unsigned *rates) {
        rates[0] = 30, rates[1] = 10;
        return answer("FAKE_NVML_UTILISATION");
      }
      int nvmlDeviceGetClockInfo(void *device, int clock, unsigned *megahertz) {
        *megahertz = clock == 1 ? 1980 : clock == 2 ? 2619 : 0;
        return answer("FAKE_NVML_CLOCK");
      }
      """;

  /** Makes the engine library; those of the driver are asked for one by one. */
  static FakeDriver make(Path folder) throws IOException, InterruptedException {
    FakeDriver driver = new FakeDriver(folder);
    String sizes =
        Layouts.ALL.stream()
            .map(layout -> String.valueOf(layout.byteSize()))
            .collect(Collectors.joining(", "));
    String known = String.format(ENGINE, sizes);
    // Without the header, whose prototypes they would contradict: nobody calls them.
    String others =
        Stream.of(NativeFunctions.class.getRecordComponents())
            .map(FakeDriver::symbol)
            .filter(symbol -> !known.contains(symbol + "("))
            .map(symbol -> "int " + symbol + "(void) { return 2; }\n")
            .collect(Collectors.joining());
    driver.compile("libswarmgrad_cuda.so", known, others);
    return driver;
  }

  private static String symbol(RecordComponent component) {
    return component.getAnnotation(NativeSignature.class).name();
  }

  Path engine() {
    return folder.resolve("libswarmgrad_cuda.so");
  }

  /** The libraries that JavaCPP's presets are linked with and call nothing of. */
  FakeDriver withEmptyLibraries() throws IOException, InterruptedException {
    compile("libcuda.so.1", "");
    compile("libcudart.so.13", "");
    return this;
  }

  FakeDriver withManagement() throws IOException, InterruptedException {
    compile("libnvidia-ml.so.1", MANAGEMENT);
    return this;
  }

  private void compile(String library, String... sources) throws IOException, InterruptedException {
    List<String> command =
        Stream.of("cc", "-shared", "-fPIC", "-w", "-Wl,-soname," + library, "-o")
            .collect(Collectors.toList());
    command.add(folder.resolve(library).toString());
    command.addAll(List.of("-I", EngineHeaders.unpack(folder.resolve("headers")).toString()));
    for (int i = 0; i < sources.length; i++) {
      command.add(
          Files.writeString(folder.resolve(library + "." + i + ".c"), sources[i]).toString());
    }
    Process compiler = new ProcessBuilder(command).redirectErrorStream(true).start();
    String messages = new String(compiler.getInputStream().readAllBytes());
    assertThat(compiler.waitFor()).as(messages).isZero();
  }
}
