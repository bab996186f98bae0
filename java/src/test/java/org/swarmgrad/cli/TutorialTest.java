// docs/tutorial-header.md and docs/tutorial-cmake.md are followed to the letter, from an empty
// folder to trained games.
package org.swarmgrad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TutorialTest {
  private static final Pattern BLOCK =
      Pattern.compile("^```(sh|diff|cmake)\n(.*?)^```", Pattern.DOTALL | Pattern.MULTILINE);
  private static final Pattern CHANGE =
      Pattern.compile("((?:^-.*\n)+)((?:^\\+.*\n)+)", Pattern.MULTILINE);
  private static final Pattern EARNED =
      Pattern.compile("random play (-?[0-9.]+) \\+- [0-9.]+, trained (-?[0-9.]+) ");

  @TempDir Path root;
  private Path folder;

  /** $SWARMGRAD: a launcher that starts what is being tested, and the build tree. */
  @BeforeEach
  void makeCheckout() throws IOException {
    folder = Files.createDirectory(root.resolve("own"));
    Files.createDirectory(root.resolve("home"));
    Path checkout = Files.createDirectory(root.resolve("checkout"));
    String command =
        InterruptTest.command().stream()
            .map(word -> "'" + word + "'")
            .collect(Collectors.joining(" "));
    Files.setPosixFilePermissions(
        Files.writeString(
            checkout.resolve("swarmgrad"), "#!/bin/sh\nexec " + command + " \"$@\"\n"),
        PosixFilePermissions.fromString("rwxr-xr-x"));
    Files.createSymbolicLink(
        Files.createDirectory(checkout.resolve("build")).resolve("cpu"),
        Path.of(System.getProperty("native.build")).toRealPath());
  }

  /** Or else the folder's removal would warn about it. */
  @AfterEach
  void unlink() throws IOException {
    Files.delete(root.resolve("checkout/build/cpu"));
  }

  private String shell(int status, String script) throws Exception {
    Path output = root.resolve("output");
    ProcessBuilder builder = new ProcessBuilder("sh", "-e", "-c", script);
    builder.environment().put("SWARMGRAD", root.resolve("checkout").toString());
    builder.environment().put("HOME", root.resolve("home").toString());
    Process process =
        builder
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    int found = process.waitFor();
    String text = Files.readString(output);
    assertThat(found).as(text).isEqualTo(status);
    return text;
  }

  /** Does what the blocks say, in their order; returns what the commands printed. */
  private String follow(String document) throws Exception {
    StringBuilder output = new StringBuilder();
    Matcher block = BLOCK.matcher(Files.readString(Path.of("..", "docs", document)));
    while (block.find()) {
      switch (block.group(1)) {
        case "sh" -> output.append(shell(0, block.group(2)));
        case "cmake" -> Files.writeString(folder.resolve("CMakeLists.txt"), block.group(2));
        default -> change(folder.resolve("my_game.hpp"), block.group(2));
      }
    }
    return output.toString();
  }

  /** Lines with '-' give way to those with '+' below them. */
  private static void change(Path file, String text) throws IOException {
    String content = Files.readString(file);
    List<MatchResult> changes = CHANGE.matcher(text).results().toList();
    assertThat(changes).isNotEmpty();
    for (MatchResult change : changes) {
      String from = change.group(1).replaceAll("(?m)^-", "");
      assertThat(content.split(Pattern.quote(from), -1)).as(from).hasSize(2);
      content = content.replace(from, change.group(2).replaceAll("(?m)^\\+", ""));
    }
    Files.writeString(file, content);
  }

  private static void learned(String output, int runs) {
    List<MatchResult> earned = EARNED.matcher(output).results().toList();
    assertThat(earned).as(output).hasSize(runs);
    for (MatchResult run : earned) {
      assertThat(Double.parseDouble(run.group(2)))
          .isGreaterThan(Double.parseDouble(run.group(1)) + 2);
    }
  }

  @Test
  void oneHeader() throws Exception {
    learned(follow("tutorial-header.md"), 4);
    assertThat(shell(1, "$SWARMGRAD/swarmgrad eval --run second"))
        .contains("my_game.hpp, which has changed since; allowed: what it was made of");
    assertThat(shell(1, "rm my_game.hpp; $SWARMGRAD/swarmgrad train --resume third"))
        .contains("my_game.hpp, which no longer exists; allowed");
    assertThat(shell(2, "$SWARMGRAD/swarmgrad eval --run first --env meeting"))
        .contains("--env is 'meeting' together with --run, which fixes it");
  }

  @Test
  void cmakeBuild() throws Exception {
    learned(follow("tutorial-cmake.md"), 1);
  }
}
