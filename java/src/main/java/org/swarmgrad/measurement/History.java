// The folder of benchmark results: JSON lines, one file a machine, only ever appended to.
package org.swarmgrad.measurement;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Results kept in a folder.
 *
 * @param folder of the *.jsonl files
 */
public record History(Path folder) {
  private static final String SUFFIX = ".jsonl";

  /**
   * Appends results to their machines' files, each with one write under a lock: a reader, a second
   * writer or a full disk never leaves half of two results in one line.
   *
   * @param results in the order of their dates
   * @throws IOException where the folder cannot be written
   */
  public void append(List<BenchmarkResult> results) throws IOException {
    Files.createDirectories(folder);
    for (Machine machine : results.stream().map(BenchmarkResult::machine).distinct().toList()) {
      StringBuilder lines = new StringBuilder();
      for (BenchmarkResult result : results) {
        if (result.machine().equals(machine)) {
          lines.append(result.toJson()).append('\n');
        }
      }
      append(folder.resolve(machine.fileName() + SUFFIX), lines.toString());
    }
  }

  /** The file lock keeps other processes out, `synchronized` other threads of this one. */
  private static synchronized void append(Path file, String lines) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(lines.getBytes(StandardCharsets.UTF_8));
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      // Closing the channel releases it.
      channel.lock();
      long end = channel.size();
      try {
        while (bytes.hasRemaining()) {
          channel.write(bytes, end + bytes.position());
        }
        channel.force(true);
      } catch (IOException failure) {
        channel.truncate(end);
        throw failure;
      }
    }
  }

  /**
   * Reads every file.
   *
   * @return oldest first; empty where there is no folder
   * @throws IOException naming file and line of what is no result
   */
  public List<BenchmarkResult> read() throws IOException {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    List<BenchmarkResult> results = new ArrayList<>();
    try (var files = Files.list(folder)) {
      for (Path file : files.filter(path -> path.toString().endsWith(SUFFIX)).sorted().toList()) {
        readFile(file, results);
      }
    }
    // Stable: results of one run share their date and keep their order.
    results.sort(Comparator.comparing(BenchmarkResult::date));
    return results;
  }

  private static void readFile(Path file, List<BenchmarkResult> results) throws IOException {
    int number = 0;
    for (String line : Files.readAllLines(file)) {
      number++;
      try {
        results.add(BenchmarkResult.fromJson(line));
      } catch (IllegalArgumentException failure) {
        throw new IOException(
            file + " line " + number + " is no benchmark result: " + failure.getMessage(), failure);
      }
    }
  }
}
