// swarmgrad devices: what this machine offers to the engines of this build, or why it does not.
package org.swarmgrad.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;
import org.swarmgrad.DeviceInfo;
import org.swarmgrad.DeviceTelemetry;
import org.swarmgrad.InstructionSet;
import org.swarmgrad.LibraryException;
import org.swarmgrad.Swarmgrad;
import org.swarmgrad.measurement.Machine;

final class DevicesCommand implements Command {
  @Override
  public String name() {
    return "devices";
  }

  @Override
  public String summary() {
    return "Show the processors that can train.";
  }

  @Override
  public String usage() {
    return "devices [--json]";
  }

  @Override
  public String example() {
    return "devices";
  }

  @Override
  public Options options() {
    return Arguments.json(new Options());
  }

  @Override
  public int run(CommandLine line, Terminal terminal) {
    ObjectNode result = Json.object();
    cpu(terminal, result.putObject("cpu"));
    cuda(terminal, result.putObject("cuda"));
    terminal.result(result);
    return 0;
  }

  private static void cpu(Terminal terminal, ObjectNode json) {
    String processor = Machine.processorName();
    int cores = Runtime.getRuntime().availableProcessors();
    List<InstructionSet> sets = Swarmgrad.instructionSets();
    terminal.say("cpu     %s", processor);
    terminal.say("        %d cores usable by this process", cores);
    terminal.say(
        "        instruction sets: %s",
        sets.isEmpty()
            ? "none that the engine can use"
            : sets.stream().map(String::valueOf).collect(Collectors.joining(", ")));
    terminal.say("        engine library %s, %s", Swarmgrad.version(), Swarmgrad.libraryPath());
    json.put("name", processor).put("cores", cores);
    ArrayNode names = json.putArray("instruction_sets");
    sets.forEach(set -> names.add(set.toString()));
    json.put("library_version", Swarmgrad.version()).put("library_path", Swarmgrad.libraryPath());
  }

  private static void cuda(Terminal terminal, ObjectNode json) {
    Optional<String> failure = Swarmgrad.cudaFailure();
    json.put("available", failure.isEmpty());
    if (failure.isPresent()) {
      terminal.say("cuda    none: %s", failure.get());
      json.put("reason", failure.get());
      return;
    }
    ArrayNode devices = json.putArray("devices");
    for (DeviceInfo device : Swarmgrad.cudaDevices()) {
      gpu(device, terminal, devices.addObject());
    }
  }

  private static void gpu(DeviceInfo device, Terminal terminal, ObjectNode json) {
    terminal.say("%-7s %s", device.device(), device.name());
    terminal.say(
        "        compute capability %s, %d multiprocessors, %.1f GB of memory, %.1f GB free",
        device.computeCapability(),
        device.multiprocessors(),
        device.memoryBytes() * 1e-9,
        device.freeMemoryBytes() * 1e-9);
    terminal.say(
        "        driver for CUDA %s, engine built with CUDA %s, PCI bus %s",
        device.driverVersion(), device.runtimeVersion(), device.pciBusId());
    json.put("index", device.device().index()).put("name", device.name());
    json.put("compute_capability", device.computeCapability());
    json.put("multiprocessors", device.multiprocessors());
    json.put("memory_bytes", device.memoryBytes());
    json.put("free_memory_bytes", device.freeMemoryBytes());
    json.put("driver_cuda_version", device.driverVersion());
    json.put("runtime_cuda_version", device.runtimeVersion()).put("pci_bus_id", device.pciBusId());
    try {
      telemetry(Swarmgrad.telemetry(device), terminal, json.putObject("telemetry"));
    } catch (LibraryException unknown) {
      terminal.say(
          "        utilisation, temperature and clocks are unknown: %s", unknown.getMessage());
      json.putNull("telemetry").put("telemetry_reason", unknown.getMessage());
    }
  }

  private static void telemetry(DeviceTelemetry now, Terminal terminal, ObjectNode json) {
    terminal.say("        driver %s", now.driver());
    json.put("driver_version", now.driver());
    show("utilisation", now.utilisation(), "percent", terminal, json);
    show("memory utilisation", now.memoryUtilisation(), "percent", terminal, json);
    show("temperature", now.temperature(), "celsius", terminal, json);
    show("clock", now.clock(), "mhz", terminal, json);
    show("memory clock", now.memoryClock(), "mhz", terminal, json);
  }

  private static void show(
      String name,
      DeviceTelemetry.Reading reading,
      String unit,
      Terminal terminal,
      ObjectNode json) {
    String field = name.replace(' ', '_') + "_" + unit;
    if (reading.value().isPresent()) {
      terminal.say("        %s %d %s", name, reading.value().getAsInt(), unit);
      json.put(field, reading.value().getAsInt());
    } else {
      terminal.say("        %s unknown: %s", name, reading.unknown());
      json.putNull(field).put(field + "_reason", reading.unknown());
    }
  }
}
