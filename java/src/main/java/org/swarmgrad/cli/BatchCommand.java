// swarmgrad batch: records one batch with its gradient in a safetensors file, for other frameworks
// to recompute.
package org.swarmgrad.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;
import org.swarmgrad.Engine;
import org.swarmgrad.EngineConfig;
import org.swarmgrad.Recording;
import org.swarmgrad.Safetensors;

final class BatchCommand implements Command {
  private static final long DEFAULT_ENVIRONMENTS = 64;

  @Override
  public String name() {
    return "batch";
  }

  @Override
  public String summary() {
    return "Write one batch, its policy and its gradient to a safetensors file.";
  }

  @Override
  public String usage() {
    return "batch --env ID --out FILE [options]";
  }

  @Override
  public String example() {
    return "batch --env simple_spread_v3 --envs 64 --out batch.safetensors";
  }

  @Override
  public Options options() {
    Options options = EngineOptions.add(new Options());
    Arguments.value(
        options,
        "params",
        "FILE",
        "safetensors file with the policy's tensors; otherwise initialised from the seed");
    Arguments.value(options, "out", "FILE", "safetensors file to write");
    return Arguments.json(options);
  }

  @Override
  public int run(CommandLine line, Terminal terminal) throws IOException {
    if (!line.hasOption("out")) {
      throw new UsageException("--out is missing; allowed: a file to write");
    }
    Path out = Path.of(line.getOptionValue("out"));
    Path folder = out.toAbsolutePath().getParent();
    if (Files.isDirectory(out)) {
      throw new IOException("--out is '" + out + "', a folder; allowed: a file to write");
    }
    if (folder == null || !Files.isDirectory(folder) || !Files.isWritable(folder)) {
      throw new IOException(
          "--out is '"
              + out
              + "', whose folder cannot be written; allowed: a file in a writable folder");
    }
    EngineConfig defaults =
        EngineConfig.builder(EngineOptions.environment(line))
            .environments(DEFAULT_ENVIRONMENTS)
            .build();
    try (Engine engine = Engine.open(EngineOptions.config(line, defaults, terminal))) {
      Stall.watch(engine, terminal);
      checkSize(engine, folder);
      if (line.hasOption("params")) {
        engine.setParameters(
            BatchFile.readParameters(engine, Path.of(line.getOptionValue("params"))));
      }
      Recording recording = engine.record();
      Safetensors.Writer writer = BatchFile.writer(engine, recording);
      writer.write(out);
      terminal.say("%s: %d episodes, %d bytes", out, engine.config().environments(), writer.size());
      ObjectNode result = Json.object().put("file", out.toString()).put("bytes", writer.size());
      result.put("episodes", engine.config().environments());
      terminal.result(result.put("parameters_sha256", engine.parametersSha256()));
    }
    return 0;
  }

  /** A batch is held in memory twice, as the engine fills it and as Java arrays, then written. */
  private static void checkSize(Engine engine, Path folder) throws IOException {
    double needed = BatchFile.dataBytes(engine);
    double memory = Runtime.getRuntime().maxMemory();
    double disk = Files.getFileStore(folder).getUsableSpace();
    if (needed > memory || needed > disk) {
      throw new IllegalArgumentException(
          String.format(
              "--envs is %d, which makes a batch of %.0f bytes; allowed: at most %.0f in memory and"
                  + " %.0f on the disk",
              engine.config().environments(), needed, memory, disk));
    }
  }
}
