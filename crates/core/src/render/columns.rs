//! A table of amounts, laid out on the columns that there are. Pure.

use super::wrap::Form;

/// Columns of text that are left to the reader; with fewer, amounts go below it.
const TEXT_MIN: usize = 32;

/// Lines of two texts (of what, and what of it) and amounts; the first has the headings. As one line each where that fits into
/// `form`, otherwise on more of them: no word is broken, and no amount stands apart from its column's name.
pub(super) fn amounts(form: Form, lines: &[Vec<String>]) -> String {
    let room = form.width.unwrap_or(usize::MAX);
    let fits = |text: &String| text.lines().all(|line| line.chars().count() <= room);
    let mut short = lines.to_vec();
    for heading in short.iter_mut().take(1).flatten() {
        // The hour before it says of when it is.
        if heading.ends_with("/month") {
            *heading = "/month".into();
        }
    }
    [beside(lines), beside(&short)]
        .into_iter()
        .find(fits)
        .or_else(|| below(form, &short))
        .unwrap_or_else(|| listed(form, lines))
}

/// Columns of each cell, over all lines.
fn widths(lines: &[Vec<String>]) -> Vec<usize> {
    let wide = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    (0..lines.first().map_or(0, Vec::len)).map(wide).collect()
}

/// Amounts, each at the right of its column.
fn right(cells: &[String], widths: &[usize]) -> String {
    cells.iter().zip(widths).map(|(cell, width)| format!("  {cell:>width$}")).collect()
}

fn beside(lines: &[Vec<String>]) -> String {
    let widths = widths(lines);
    let line = |line: &Vec<String>| {
        let texts: String =
            line.iter().zip(&widths).take(2).map(|(cell, width)| format!("  {cell:<width$}")).collect();
        let amounts = right(line.get(2..).unwrap_or_default(), widths.get(2..).unwrap_or_default());
        format!("{}\n", format!("{texts}{amounts}").trim_end())
    };
    lines.iter().map(line).collect()
}

/// What of it below of what, with the amounts; nothing where that leaves no room for words.
fn below(form: Form, lines: &[Vec<String>]) -> Option<String> {
    let widths = widths(lines);
    let (text, numbers) = widths.split_at_checked(2)?;
    let taken: usize = numbers.iter().map(|width| width + 2).sum();
    let room = form.width?.checked_sub(taken + 4).filter(|room| *room >= TEXT_MIN)?.min(text[1]);
    let words = Form { width: Some(room.max(TEXT_MIN)), ..form };
    let (mut out, mut last) = (String::new(), "");
    for line in lines {
        let [of, what, cells @ ..] = line.as_slice() else { continue };
        let cells = right(cells, numbers);
        // The headings, and the sum.
        if what.is_empty() {
            out.push_str(&format!("{}\n", format!("  {of:<width$}{cells}", width = room + 2).trim_end()));
            continue;
        }
        if of != last {
            out.push_str(&format!("  {of}\n"));
            last = of;
        }
        for (n, what) in words.wrap(what, 0).lines().enumerate() {
            let cells = if n == 0 { cells.as_str() } else { "" };
            out.push_str(&format!("{}\n", format!("    {what:<room$}{cells}").trim_end()));
        }
    }
    Some(out)
}

/// Each amount with its column's name, below what it is of.
fn listed(form: Form, lines: &[Vec<String>]) -> String {
    let Some((headings, lines)) = lines.split_first() else { return String::new() };
    let mut out = String::new();
    for line in lines {
        let texts = line.iter().take(2).filter(|text| !text.is_empty()).cloned().collect::<Vec<_>>();
        let amounts = headings.iter().zip(line).skip(2).filter(|(_, amount)| *amount != "-");
        let amounts = amounts.map(|(heading, amount)| format!("{heading}: {amount}")).collect::<Vec<_>>();
        out.push_str(&format!("{}\n", form.wrap(&format!("  {}", texts.join(", ")), 4)));
        out.push_str(&format!("{}\n", form.wrap(&format!("    {}", amounts.join("; ")), 4)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(cells: &[&[&str]]) -> Vec<Vec<String>> {
        cells.iter().map(|line| line.iter().map(|cell| (*cell).to_string()).collect()).collect()
    }

    #[test]
    fn rows_get_the_lines_that_they_need() {
        let lines = table(&[
            &["", "", "now/h", "now/month", "after/h", "after/month"],
            &["vpc_endpoint.runtime", "interface endpoint in 3 zones", "-", "-", "0.0360", "26.28"],
            &["notebook.main", "ml.t3.medium", "0.0500", "36.50", "0.0500", "36.50"],
            &["notebook.main", "volume, 5 GiB", "0.0010", "0.70", "0.0010", "0.70"],
            &["Total", "", "0.0510", "37.20", "0.0870", "63.48"],
        ]);
        let at = |width| amounts(Form { width, verbose: false }, &lines);
        assert_eq!(at(None), at(Some(200)));
        assert!(at(None).contains("  vpc_endpoint.runtime  interface endpoint in 3 zones       -"));
        assert!(at(Some(86)).contains("now/h  /month  after/h  /month\n"), "{}", at(Some(86)));
        let below = "                                    now/h  /month  after/h  /month
  vpc_endpoint.runtime
    interface endpoint in 3 zones       -       -   0.0360   26.28
  notebook.main
    ml.t3.medium                   0.0500   36.50   0.0500   36.50
    volume, 5 GiB                  0.0010    0.70   0.0010    0.70
  Total                            0.0510   37.20   0.0870   63.48
";
        assert_eq!(at(Some(72)), below);
        let listed = at(Some(44));
        assert!(
            listed.starts_with("  vpc_endpoint.runtime, interface endpoint\n    in 3 zones\n"),
            "{listed}"
        );
        assert!(listed.contains("\n    after/h: 0.0360; after/month: 26.28\n"), "{listed}");
        assert!(listed.contains("\n  Total\n    now/h: 0.0510;"), "{listed}");
        for width in 40..120 {
            let text = at(Some(width));
            assert!(text.lines().all(|line| line.chars().count() <= width), "{width}:\n{text}");
        }
    }
}
