package dev.tern.browser;

/** Finds texts that do not stand out. */
final class Contrast {
    /**
     * Evaluates to those texts on the page whose contrast to what is behind them is below 4.5 (WCAG 2.2, 1.4.3), each with
     * what it is; text of images in SVG counts as standing on what is behind the image.
     */
    static final String FAINT_TEXTS = """
            (() => {
              const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
              const rgba = color => {
                canvas.clearRect(0, 0, 1, 1);
                canvas.fillStyle = color;
                canvas.fillRect(0, 0, 1, 1);
                const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
                return [r, g, b, a / 255];
              };
              const over = ([r, g, b, a], below) => [r, g, b].map((c, i) => c * a + below[i] * (1 - a));
              const linear = c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
              const luminance = color => color.map(c => linear(c / 255))
                .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
              const ground = element => element
                ? over(rgba(getComputedStyle(element).backgroundColor), ground(element.parentElement))
                : [255, 255, 255];
              const faint = [];
              const check = (element, color, text) => {
                const below = ground(element);
                const [a, b] = [luminance(over(rgba(color), below)), luminance(below)].sort((x, y) => y - x);
                const contrast = (a + 0.05) / (b + 0.05);
                if (!(contrast >= 4.5)) {
                  faint.push(text.trim().slice(0, 40) + ' ' + contrast.toFixed(2));
                }
              };
              const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
              let seen = 0;
              while (walker.nextNode()) {
                const element = walker.currentNode.parentElement;
                const text = walker.currentNode.data;
                if (text.trim() && element.checkVisibility() && !element.closest('.hidden, noscript')) {
                  seen++;
                  check(element, getComputedStyle(element)[element instanceof SVGElement ? 'fill' : 'color'], text);
                }
              }
              for (const field of document.querySelectorAll('input, textarea')) {
                if (field.checkVisibility() && !field.matches('.hidden')) {
                  check(field, getComputedStyle(field, '::placeholder').color, field.placeholder);
                }
              }
              return seen > 10 ? faint : ['nothing was looked at'];
            })()""";

    private Contrast() {}
}
