// swarmgrad devices: what this machine offers to the engines of this build.
package org.swarmgrad.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;
import org.swarmgrad.InstructionSet;
import org.swarmgrad.Swarmgrad;
import org.swarmgrad.measurement.Machine;

final class DevicesCommand implements Command {
  private static final String NO_CUDA = "this build has no CUDA engine";

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
    String processor = Machine.processorName();
    int cores = Runtime.getRuntime().availableProcessors();
    List<InstructionSet> sets = Swarmgrad.instructionSets();
    terminal.say("cpu   %s", processor);
    terminal.say("      %d cores usable by this process", cores);
    terminal.say(
        "      instruction sets: %s",
        sets.isEmpty()
            ? "none that the engine can use"
            : sets.stream().map(String::valueOf).collect(Collectors.joining(", ")));
    terminal.say("      engine library %s, %s", Swarmgrad.version(), Swarmgrad.libraryPath());
    terminal.say("cuda  none: %s", NO_CUDA);
    ObjectNode result = Json.object();
    ObjectNode cpu = result.putObject("cpu");
    cpu.put("name", processor).put("cores", cores);
    ArrayNode names = cpu.putArray("instruction_sets");
    sets.forEach(set -> names.add(set.toString()));
    cpu.put("library_version", Swarmgrad.version()).put("library_path", Swarmgrad.libraryPath());
    result.putObject("cuda").put("available", false).put("reason", NO_CUDA);
    terminal.result(result);
    return 0;
  }
}
