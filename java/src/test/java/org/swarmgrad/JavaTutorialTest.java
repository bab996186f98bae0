// docs/tutorial-java.md is followed to the letter: its game, its command, run twice.
package org.swarmgrad;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JavaTutorialTest {
  private static final Pattern PRINTED =
      Pattern.compile("random ([0-9.]+), after ([0-9]+) iterations ([0-9.]+)\n");

  @TempDir Path folder;

  private static MatchResult only(String pattern, String text) {
    List<MatchResult> found =
        Pattern.compile(pattern, Pattern.DOTALL | Pattern.MULTILINE)
            .matcher(text)
            .results()
            .toList();
    assertThat(found).hasSize(1);
    return found.get(0);
  }

  @Test
  void theGameTrainsAndGoesOn() throws Exception {
    String tutorial = Files.readString(Path.of("..", "docs", "tutorial-java.md"));
    Files.writeString(folder.resolve("Meet.java"), only("```java\n(.*?)```", tutorial).group(1));
    String[] command = only("^    java (.*?)$", tutorial).group(1).split(" ");
    assertThat(command).contains("$SWARMGRAD/java/target/swarmgrad.jar");
    Matcher promised = PRINTED.matcher(tutorial);
    assertThat(promised.find()).isTrue();

    double before = 0;
    for (int iterations = 50; iterations <= 100; iterations += 50) {
      String output = run(command);
      Matcher printed = PRINTED.matcher(output);
      assertThat(printed.matches()).as(output).isTrue();
      assertThat(Integer.parseInt(printed.group(2))).isEqualTo(iterations);
      double random = Double.parseDouble(printed.group(1));
      double trained = Double.parseDouble(printed.group(3));
      assertThat(trained).isGreaterThan(random + 0.5).isGreaterThan(before - 0.1);
      if (iterations == 50) {
        assertThat(output).isEqualTo(promised.group());
      }
      before = trained;
    }
  }

  /** The tutorial's command; the tests run before there is a jar. */
  private String run(String[] command) throws Exception {
    List<String> line = new ArrayList<>();
    line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    for (String word : command) {
      boolean isJar = word.startsWith("$SWARMGRAD");
      line.add(isJar ? System.getProperty("java.class.path") : word);
    }
    for (String name : List.of("org.swarmgrad.library", "org.bytedeco.javacpp.cachedir")) {
      if (System.getProperty(name) != null) {
        line.add(1, "-D" + name + "=" + System.getProperty(name));
      }
    }
    Path output = folder.resolve("output");
    Process process =
        new ProcessBuilder(line)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    assertThat(process.waitFor()).as(Files.readString(output)).isZero();
    return Files.readString(output);
  }
}
