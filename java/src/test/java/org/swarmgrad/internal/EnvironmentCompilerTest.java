// The cache of compiled environments: hit, miss, damage and two processes' worth of threads; and a
// compiler that is missing.
package org.swarmgrad.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.swarmgrad.CompilationException;
import org.swarmgrad.EnvironmentSpec;

class EnvironmentCompilerTest {
  @TempDir Path folder;
  private Path header;
  private Path rules;
  private EnvironmentCompiler compiler;

  /** The template, with a part of it in a header of its own, in a folder with an unusual name. */
  @BeforeEach
  void writeHeader() throws IOException {
    Path odd = Files.createDirectory(folder.resolve("a b'$(x)\"#"));
    header = odd.resolve("my game.hpp");
    rules = odd.resolve("rules.hpp");
    Files.writeString(rules, "#pragma once\nconstexpr int steps = 50;\n");
    Files.writeString(
        header,
        EnvironmentSpec.template()
            .replace("#include \"core/math.h\"", "#include \"rules.hpp\"\n#include \"core/math.h\"")
            .replace("return 50;", "return steps;"));
    compiler = compiler(true);
  }

  private EnvironmentCompiler compiler(boolean checked) {
    return new EnvironmentCompiler(folder.resolve("cache"), null, System.getenv("PATH"), checked);
  }

  private List<Path> entries() throws IOException {
    try (Stream<Path> files = Files.list(folder.resolve("cache/environments"))) {
      return files.filter(Files::isDirectory).toList();
    }
  }

  @Test
  void whatDecidesTheCodeDecidesTheEntry() throws IOException {
    EnvironmentCompiler.Compiled first = compiler.compile(header);
    Object written = Files.getLastModifiedTime(first.library());
    assertThat(first.source().files()).containsExactly(header, rules);

    EnvironmentCompiler.Compiled again = compiler.compile(header);
    assertThat(again).isEqualTo(first);
    assertThat(Files.getLastModifiedTime(again.library())).isEqualTo(written);
    assertThat(entries()).hasSize(1);

    EnvironmentCompiler.Compiled unchecked = compiler(false).compile(header);
    assertThat(unchecked.library()).isNotEqualTo(first.library());
    assertThat(unchecked.source().sha256()).isEqualTo(first.source().sha256());

    Files.writeString(rules, "#pragma once\nconstexpr int steps = 51;\n");
    EnvironmentCompiler.Compiled changed = compiler.compile(header);
    assertThat(changed.library()).isNotEqualTo(first.library());
    assertThat(changed.source().sha256()).isNotEqualTo(first.source().sha256());
    assertThat(entries()).hasSize(3);
  }

  @Test
  void aDamagedEntryIsMadeAgain() throws IOException {
    Path library = compiler.compile(header).library();
    byte[] whole = Files.readAllBytes(library);
    Files.write(library, new byte[] {1, 2, 3});
    assertThat(compiler.compile(header).library()).isEqualTo(library).hasBinaryContent(whole);
    Files.delete(library.resolveSibling("environment.sha256"));
    assertThat(compiler.compile(header).library()).isEqualTo(library).hasBinaryContent(whole);
  }

  @Test
  void compilersAtTheSameTimeLeaveOneEntry() throws Exception {
    List<Thread> threads =
        Stream.generate(() -> Thread.ofPlatform().start(() -> compiler(true).compile(header)))
            .limit(3)
            .toList();
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(entries()).containsExactly(compiler.compile(header).library().getParent());
  }

  @Test
  void aMissingCompilerIsNamedWithWhatToInstall() {
    Path cache = folder.resolve("cache");
    assertThatThrownBy(
            () -> new EnvironmentCompiler(cache, null, folder.toString(), true).compile(header))
        .isInstanceOf(CompilationException.class)
        .hasMessageContaining("needs a C++20 compiler, and none was found (CXX, c++, g++, clang++)")
        .hasMessageContaining("apt-get install g++");
    assertThatThrownBy(
            () -> new EnvironmentCompiler(cache, "no-such-c++", "/usr/bin", true).compile(header))
        .isInstanceOf(CompilationException.class)
        .hasMessageContaining("CXX is 'no-such-c++', which is no program");
  }

  @Test
  void theSourceIsCopiedAsItLies() throws IOException {
    Path copy = folder.resolve("copy");
    compiler.source(header).copyTo(copy);
    assertThat(copy.resolve("my game.hpp")).hasSameTextualContentAs(header);
    assertThat(copy.resolve("rules.hpp")).hasSameTextualContentAs(rules);
    assertThat(compiler.source(copy.resolve("my game.hpp")).sha256())
        .isEqualTo(compiler.source(header).sha256());
  }
}
