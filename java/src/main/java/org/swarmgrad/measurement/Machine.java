// What a speed belongs to; results of different machines are never compared.
package org.swarmgrad.measurement;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.swarmgrad.Swarmgrad;

/**
 * A machine as far as speed depends on it.
 *
 * @param cpu name of the processor
 * @param cores usable by this process
 * @param isa the engine's instruction sets that it has, separated by commas
 */
public record Machine(String cpu, int cores, String isa) {
  /**
   * The machine that this process runs on.
   *
   * @return processor, cores, instruction sets
   */
  public static Machine here() {
    String isa =
        Swarmgrad.instructionSets().stream().map(String::valueOf).collect(Collectors.joining(","));
    return new Machine(processorName(), Runtime.getRuntime().availableProcessors(), isa);
  }

  /**
   * Name of the processor. Virtual machines shorten it, so family and model go with it.
   *
   * @return for example "AMD EPYC, family 25, model 17"; the architecture where Linux does not say
   */
  public static String processorName() {
    try {
      return processorName(Files.readAllLines(Path.of("/proc/cpuinfo")));
    } catch (IOException failure) {
      return System.getProperty("os.arch");
    }
  }

  /** From the lines of /proc/cpuinfo. */
  static String processorName(List<String> lines) {
    Map<String, String> values = new TreeMap<>();
    for (String line : lines) {
      int colon = line.indexOf(':');
      if (colon > 0) {
        values.putIfAbsent(line.substring(0, colon).strip(), line.substring(colon + 1).strip());
      }
    }
    if (!values.containsKey("model name")) {
      return System.getProperty("os.arch");
    }
    return values.get("model name")
        + (values.containsKey("cpu family") ? ", family " + values.get("cpu family") : "")
        + (values.containsKey("model") ? ", model " + values.get("model") : "");
  }

  /**
   * A file name that says which machine it belongs to.
   *
   * @return lower-case words with dashes between
   */
  public String fileName() {
    return (cpu + " " + cores + " cores " + isa)
        .toLowerCase(Locale.ROOT)
        .replaceAll("[^a-z0-9]+", "-");
  }
}
