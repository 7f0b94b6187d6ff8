// SPDX-License-Identifier: Apache-2.0
package io.pagelock.benchmarks;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.function.DoubleUnaryOperator;

/** Repeated measurements of one thing. */
final class Sample {
    private final List<Double> values = new ArrayList<>();

    void add(double value) {
        values.add(value);
        Collections.sort(values);
    }

    void addAll(List<Double> more) {
        values.addAll(more);
        Collections.sort(values);
    }

    boolean isEmpty() {
        return values.isEmpty();
    }

    int size() {
        return values.size();
    }

    double quantile(double part) {
        if (values.isEmpty()) {
            return Double.NaN;
        }
        double at = part * (values.size() - 1);
        int below = (int) at;
        int above = Math.min(below + 1, values.size() - 1);
        return values.get(below) + (at - below) * (values.get(above) - values.get(below));
    }

    double median() {
        return quantile(0.5);
    }

    double max() {
        return quantile(1);
    }

    /** Half of the distance between the quartiles, in percent of the median: what one run differs from the next. */
    double noise() {
        return (quantile(0.75) - quantile(0.25)) / 2 / median() * 100;
    }

    Sample map(DoubleUnaryOperator change) {
        Sample changed = new Sample();
        values.forEach(value -> changed.add(change.applyAsDouble(value)));
        return changed;
    }

    /** Median, and the quartiles in brackets. */
    String text(String unit) {
        if (values.isEmpty()) {
            return "did not run";
        }
        return number(median()) + unit + " (" + number(quantile(0.25)) + ".." + number(quantile(0.75)) + ")";
    }

    static String number(double value) {
        double size = Math.abs(value);
        if (size != 0 && size < 0.01) {
            return String.format(Locale.ROOT, "%.2g", value);
        }
        return String.format(Locale.ROOT, size < 10 ? "%.2f" : size < 100 ? "%.1f" : "%.0f", value);
    }
}
