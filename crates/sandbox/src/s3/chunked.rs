//! `aws-chunked`: how clients send a body whose signature or checksum comes piece by piece.

use super::state::OBJECT_BYTES_MAX;
use crate::wire::{Fault, Request};
use std::collections::BTreeMap;

/// A request's payload without its transfer encoding.
pub(super) struct Payload {
    pub(super) bytes: Vec<u8>,
    /// Header fields that came after the body: a checksum, a signature. Names in lower case.
    pub(super) trailers: BTreeMap<String, String>,
}

/// The payload of a request that uploads something.
///
/// # Errors
/// `IncompleteBody` if the chunks do not add up, `EntityTooLarge` beyond what the sandbox keeps.
pub(super) fn payload(request: &Request) -> Result<Payload, Fault> {
    let encoded = request.header("x-amz-content-sha256").is_some_and(|hash| hash.starts_with("STREAMING-"))
        || request
            .header("content-encoding")
            .is_some_and(|encodings| encodings.split(',').any(|one| one.trim() == "aws-chunked"));
    let payload = if encoded {
        let payload = decode(&request.body).ok_or_else(incomplete)?;
        let promised = request.header("x-amz-decoded-content-length").and_then(|text| text.parse().ok());
        if promised.is_some_and(|length: usize| length != payload.bytes.len()) {
            return Err(incomplete());
        }
        payload
    } else {
        Payload { bytes: request.body.clone(), trailers: BTreeMap::new() }
    };
    if payload.bytes.len() > OBJECT_BYTES_MAX {
        let text = "Your proposed upload exceeds the maximum allowed size";
        return Err(Fault::bad("EntityTooLarge", text));
    }
    Ok(payload)
}

fn incomplete() -> Fault {
    let text = "You did not provide the number of bytes specified by the Content-Length HTTP header";
    Fault::bad("IncompleteBody", text)
}

/// `size[;extension]CRLF data CRLF … 0[;extension]CRLF trailers CRLF`, sizes in hexadecimal.
fn decode(mut rest: &[u8]) -> Option<Payload> {
    let mut payload = Payload { bytes: Vec::new(), trailers: BTreeMap::new() };
    loop {
        let (head, after) = line(rest)?;
        let size = head.split(';').next()?.trim();
        let size = usize::from_str_radix(size, 16).ok()?;
        rest = after;
        if size == 0 {
            break;
        }
        payload.bytes.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size..)?.strip_prefix(b"\r\n")?;
    }
    while let Some((trailer, after)) = line(rest) {
        if let Some((name, value)) = trailer.split_once(':') {
            payload.trailers.insert(name.trim().to_ascii_lowercase(), value.trim().to_string());
        }
        rest = after;
    }
    Some(payload)
}

fn line(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.windows(2).position(|two| two == b"\r\n")?;
    Some((std::str::from_utf8(&bytes[..end]).ok()?, &bytes[end + 2..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_signed_and_unsigned() {
        let plain = decode(b"4\r\nWiki\r\n3\r\nped\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n").unwrap();
        assert_eq!(plain.bytes, b"Wikiped");
        assert_eq!(plain.trailers["x-amz-checksum-crc32"], "AAAA");
        let signed = decode(b"2;chunk-signature=ab\r\n\r\n\r\n0;chunk-signature=cd\r\n\r\n").unwrap();
        assert_eq!(signed.bytes, b"\r\n");
        assert!(decode(b"5\r\nWiki\r\n0\r\n\r\n").is_none());
        assert!(decode(b"Wiki").is_none());
    }

    #[test]
    fn either_header_tells_and_lengths_must_agree() {
        let read = |headers: &[(&str, &str)]| {
            let headers = headers.iter().map(|(name, value)| (name.to_string(), value.to_string()));
            let body = b"2\r\nab\r\n0\r\n\r\n".to_vec();
            let request = Request { headers: headers.collect(), body, ..Request::default() };
            payload(&request).map(|payload| payload.bytes).map_err(|fault| fault.code)
        };
        let streaming = ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
        assert_eq!(read(&[streaming]), Ok(b"ab".to_vec()));
        assert_eq!(read(&[("content-encoding", "gzip, aws-chunked")]), Ok(b"ab".to_vec()));
        assert_eq!(read(&[]).unwrap().len(), 12, "as it came");
        let longer = ("x-amz-decoded-content-length", "3");
        assert_eq!(read(&[streaming, longer]), Err("IncompleteBody".to_string()));
    }
}
