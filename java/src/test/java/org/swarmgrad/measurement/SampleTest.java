// Means, medians and intervals against figures computed by hand or printed in tables of Student's
// t.
package org.swarmgrad.measurement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class SampleTest {
  @Test
  void theIntervalOfAMeanIsStudents() {
    Sample sample = Sample.of(1, 2, 3, 4, 10);
    assertThat(sample.mean()).isEqualTo(4);
    assertThat(sample.deviation()).isCloseTo(Math.sqrt(12.5), within(1e-12));
    // The table's t for 4 degrees of freedom is 2.776.
    assertThat(sample.interval().orElseThrow().halfWidth())
        .isCloseTo(2.776 * Math.sqrt(12.5 / 5), within(1e-3));
  }

  @Test
  void theMedianIsTheMiddle() {
    assertThat(Sample.median(3, 1, 10)).isEqualTo(3);
    assertThat(Sample.median(4, 1, 10, 2)).isEqualTo(3);
  }

  /** Equal counts and deviations make Welch's degrees of freedom those of the pooled test, 8. */
  @Test
  void theIntervalOfADifferenceIsWelchs() {
    Sample one = Sample.of(1, 2, 3, 4, 5);
    Sample other = Sample.of(11, 12, 13, 14, 15);
    Sample.Interval interval = other.minus(one).orElseThrow();
    assertThat(interval.mean()).isEqualTo(10);
    assertThat(interval.halfWidth()).isCloseTo(2.306 * Math.sqrt(2 * 2.5 / 5), within(1e-3));
    // One deviation alone: the degrees of freedom are its own.
    assertThat(new Sample(5, 0, 3).minus(new Sample(9, 1, 0)).orElseThrow().halfWidth())
        .isCloseTo(2.776 * 3 / Math.sqrt(5), within(1e-3));
  }

  @Test
  void oneNumberSaysNothingAboutItsSpread() {
    Sample one = Sample.of(7);
    assertThat(one.interval()).isEmpty();
    assertThat(one.minus(Sample.of(1, 2))).isEmpty();
    assertThat(Sample.of(1, 1).minus(Sample.of(2, 2))).contains(new Sample.Interval(-1, 0));
  }
}
