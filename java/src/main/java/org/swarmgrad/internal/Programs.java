// Starts the programs of the user's PATH directly, without a shell, and waits for what they print.
package org.swarmgrad.internal;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.swarmgrad.SwarmgradException;

/**
 * Where programs are found.
 *
 * @param path folders to look in, separated by ':'
 */
record Programs(String path) {
  /** What a program that has ended left. */
  record Result(int status, String messages) {}

  /** The file of a program, null where there is none. */
  Path find(String program) {
    if (program.indexOf('/') >= 0) {
      return Files.isExecutable(Path.of(program)) ? Path.of(program) : null;
    }
    for (String folder : path.split(":")) {
      Path file = Path.of(folder.isEmpty() ? "." : folder, program);
      if (Files.isRegularFile(file) && Files.isExecutable(file)) {
        return file;
      }
    }
    return null;
  }

  /** Runs a command to its end. */
  Result run(List<String> command) throws IOException {
    return finish(start(command));
  }

  /** Runs several commands at the same time. */
  Map<String, Result> runAll(Map<String, List<String>> commands) throws IOException {
    Map<String, Process> processes = new LinkedHashMap<>();
    for (Map.Entry<String, List<String>> command : commands.entrySet()) {
      processes.put(command.getKey(), start(command.getValue()));
    }
    Map<String, Result> results = new LinkedHashMap<>();
    for (Map.Entry<String, Process> process : processes.entrySet()) {
      results.put(process.getKey(), finish(process.getValue()));
    }
    return results;
  }

  /** Which build of a compiler a command starts: what it says of itself, its file and its time. */
  String identity(List<String> command) throws IOException {
    List<String> version = new ArrayList<>(command);
    version.add("--version");
    Path program = find(command.get(0)).toRealPath();
    return String.join(
        "\n",
        run(version).messages,
        program.toString(),
        String.valueOf(Files.getLastModifiedTime(program)));
  }

  private Process start(List<String> command) throws IOException {
    List<String> found = new ArrayList<>(command);
    found.set(0, find(command.get(0)).toString());
    ProcessBuilder builder = new ProcessBuilder(found).redirectErrorStream(true);
    builder.environment().put("PATH", path);
    Process process = builder.start();
    process.getOutputStream().close();
    return process;
  }

  private static Result finish(Process process) throws IOException {
    try {
      byte[] output = process.getInputStream().readAllBytes();
      return new Result(process.waitFor(), new String(output, StandardCharsets.UTF_8));
    } catch (InterruptedException stopped) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
      throw new SwarmgradException("interrupted while compiling");
    }
  }
}
