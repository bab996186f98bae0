// Pictures for the documentation: the climbing game's starts and ends, and learning curves of run
// folders; what they show is computed elsewhere.
package org.swarmgrad.bench;

import java.awt.Color;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries.XYSeriesRenderStyle;
import org.knowm.xchart.style.Styler.ChartTheme;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;
import org.swarmgrad.Engine;
import org.swarmgrad.bench.Climbing.End;
import org.swarmgrad.bench.Climbing.Pair;
import org.swarmgrad.bench.Climbing.Start;
import org.swarmgrad.reference.ExactAscent;

final class Charts {
  static final String USAGE =
      "--plot FILE.png [--group NAME] RUN ... draws the batch means of run folders over their"
          + " agent-steps";

  private static final int POINTS = 400;
  private static final int GRID = 24;
  private static final Color BEST = new Color(0x1B5E20);
  private static final Color BEST_PALE = new Color(0xB9E4BC);
  private static final Color SAFE = new Color(0x9C4A00);
  private static final Color SAFE_PALE = new Color(0xFFDDB8);

  private Charts() {}

  /** Reads the arguments after --plot. */
  static void run(List<String> arguments) throws IOException {
    boolean grouped = arguments.size() > 2 && arguments.get(1).equals("--group");
    int first = grouped ? 3 : 1;
    if (arguments.size() <= first || !arguments.get(0).endsWith(".png")) {
      throw new IllegalArgumentException("--plot is given " + arguments + "; allowed: " + USAGE);
    }
    XYChart chart = chart("", "million agent-steps", "mean team return of the batches");
    chart.getStyler().setMarkerSize(0);
    for (String run : arguments.subList(first, arguments.size())) {
      LearningCurve curve =
          LearningCurve.read(Path.of(run), grouped ? arguments.get(2) : null).thinned(POINTS);
      double[] millions = Arrays.stream(curve.agentSteps()).map(steps -> steps * 1e-6).toArray();
      chart.addSeries(run, millions, curve.score());
    }
    save(chart, Path.of(arguments.get(0)));
  }

  /** Writes climbing-payoffs.png and climbing-starts.png. */
  static void climbing(List<Pair> pairs, Path folder) throws IOException {
    Files.createDirectories(folder);
    save(payoffs(), folder.resolve("climbing-payoffs.png"));
    save(starts(pairs), folder.resolve("climbing-starts.png"));
  }

  /** Why: what an action of player 0 pays on average depends on how often the other plays 0. */
  private static XYChart payoffs() {
    XYChart chart =
        chart(
            "Climbing game: what player 0's actions pay on average",
            "probability that player 1 plays 0; 1 and 2 equally often",
            "expected payoff");
    double[] others = IntStream.rangeClosed(1, 99).mapToDouble(i -> i / 100.0).toArray();
    double[][] payoff = new double[3][others.length];
    for (int i = 0; i < others.length; i++) {
      try (Engine engine = Climbing.open(new Start(0.5, others[i]), 0)) {
        double[] expected = new ExactAscent(engine).expectedPayoff(0);
        for (int action = 0; action < expected.length; action++) {
          payoff[action][i] = expected[action];
        }
      }
    }
    for (int action = 0; action < payoff.length; action++) {
      chart.addSeries("action " + action, others, payoff[action]).setMarker(SeriesMarkers.NONE);
    }
    chart
        .addSeries("a partner who explores uniformly", uniform(), new double[] {-30, 11})
        .setMarker(SeriesMarkers.NONE)
        .setLineColor(Color.GRAY);
    return chart;
  }

  private static double[] uniform() {
    return new double[] {1.0 / 3, 1.0 / 3};
  }

  private static XYChart starts(List<Pair> pairs) {
    XYChart chart =
        chart(
            "Climbing game: where training ends, by where it starts",
            "player 0 starts with this probability of action 0",
            "player 1 starts with this probability of action 0");
    chart.getStyler().setDefaultSeriesRenderStyle(XYSeriesRenderStyle.Scatter).setMarkerSize(12);
    List<Pair> grid =
        IntStream.range(0, GRID * GRID)
            .parallel()
            .mapToObj(k -> new Start((k % GRID + 0.5) / GRID, (k / GRID + 0.5) / GRID))
            .map(start -> new Pair(start, Climbing.exact(start), null))
            .toList();
    Predicate<End> best = end -> end.equals(new End(0, 0, true));
    Predicate<End> safe = end -> end.equals(new End(1, 1, true));
    points(
        chart,
        "exact ascent ends in (0, 0), 11",
        grid,
        pair -> best.test(pair.exact()),
        BEST_PALE,
        SeriesMarkers.SQUARE);
    points(
        chart,
        "exact ascent ends in (1, 1), 7",
        grid,
        pair -> safe.test(pair.exact()),
        SAFE_PALE,
        SeriesMarkers.SQUARE);
    points(
        chart,
        "training ends in (0, 0)",
        pairs,
        pair -> best.test(pair.sampled()),
        BEST,
        SeriesMarkers.CIRCLE);
    points(
        chart,
        "training ends in (1, 1)",
        pairs,
        pair -> safe.test(pair.sampled()),
        SAFE,
        SeriesMarkers.CIRCLE);
    points(
        chart,
        "training ends elsewhere",
        pairs,
        pair -> !best.test(pair.sampled()) && !safe.test(pair.sampled()),
        Color.BLACK,
        SeriesMarkers.CROSS);
    return chart;
  }

  private static void points(
      XYChart chart,
      String name,
      List<Pair> pairs,
      Predicate<Pair> which,
      Color color,
      Marker marker) {
    List<Start> starts = pairs.stream().filter(which).map(Pair::start).toList();
    if (!starts.isEmpty()) {
      chart
          .addSeries(
              name,
              new ArrayList<>(starts.stream().map(Start::player0).toList()),
              new ArrayList<>(starts.stream().map(Start::player1).toList()))
          .setMarker(marker)
          .setMarkerColor(color);
    }
  }

  private static XYChart chart(String title, String x, String y) {
    XYChart chart =
        new XYChartBuilder()
            .width(820)
            .height(640)
            .theme(ChartTheme.Matlab)
            .title(title)
            .xAxisTitle(x)
            .yAxisTitle(y)
            .build();
    chart.getStyler().setLegendPosition(LegendPosition.OutsideS).setLegendBorderColor(Color.WHITE);
    return chart;
  }

  private static void save(XYChart chart, Path file) throws IOException {
    ImageIO.write(BitmapEncoder.getBufferedImage(chart), "png", file.toFile());
    System.out.println("written: " + file);
  }
}
