//! Whether an answer is AWS's and the whole of it, where the SDK does not ask.
//!
//! The SDK takes XML that ends anywhere for the whole of it: half of a list would be a list, and what is missing from
//! it would be made a second time. It reads no body at all where it expects none, and takes any page for a yes.

/// What is wrong with the body of an answer that the SDK has taken for good.
pub(super) fn fault(body: &[u8]) -> Option<&'static str> {
    let text = body.trim_ascii();
    if text.first() != Some(&b'<') {
        return None;
    }
    let mut rest = text;
    let root = loop {
        let tag = rest.strip_prefix(b"<")?;
        if starts(tag, b"!doctype html") || starts(tag, b"html") {
            return Some("it is a web page");
        }
        // `<?xml …?>`, a comment or a document type: the next tag may be the root.
        if !matches!(tag.first(), Some(b'?' | b'!')) {
            break tag;
        }
        let end = tag.iter().position(|byte| *byte == b'>').map_or(tag.len(), |end| end + 1);
        rest = tag.get(end..).unwrap_or_default().trim_ascii_start();
        if rest.is_empty() {
            return Some(CUT);
        }
    };
    let is_name = |byte: &u8| !byte.is_ascii_whitespace() && !matches!(byte, b'>' | b'/');
    let name: Vec<u8> = root.iter().copied().take_while(is_name).collect();
    let closing = [b"</", name.as_slice(), b">"].concat();
    let is_one_tag = text.ends_with(b"/>") && text.iter().filter(|byte| **byte == b'<').count() <= 2;
    (!text.ends_with(&closing) && !is_one_tag).then_some(CUT)
}

const CUT: &str = "it is incomplete";

fn starts(text: &[u8], word: &[u8]) -> bool {
    text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_answers_are_left_alone() {
        for body in [
            "",
            "{\"a\": 1}",
            "{\"a\": ",
            "<A><b/></A>",
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<A xmlns=\"http://x/\"><B>1</B></A>\n",
            "<?xml version=\"1.0\"?><LocationConstraint xmlns=\"http://x/\"/>",
            "<A/>",
        ] {
            assert_eq!(fault(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn half_an_answer_is_none() {
        let whole = "<?xml version=\"1.0\"?>\n<A xmlns=\"x\"><B><C>1</C></B><B><D/></B></A>";
        for end in 1..whole.len() {
            assert_eq!(fault(&whole.as_bytes()[..end]), Some(CUT), "{}", &whole[..end]);
        }
        assert_eq!(fault(whole.as_bytes()), None);
    }

    #[test]
    fn a_page_for_people_is_none() {
        for body in [
            "<!DOCTYPE html>\n<p>hi</p>",
            " \r\n<HTML><body></body></HTML>",
            "<?xml version=\"1.0\"?><!doctype HTML><html/>",
        ] {
            assert_eq!(fault(body.as_bytes()), Some("it is a web page"), "{body}");
        }
    }
}
