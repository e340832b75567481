//! SQL as text: whatever a name, a string or an expression is, it is read back as it was meant.

use auroraml_core::base::diff;
use auroraml_core::kinds::Kind;
use auroraml_core::kinds::sql_function::{Props, SqlFunction};
use auroraml_core::sql::function::{Calls, Function};
use auroraml_core::sql::grants::{Granted, grant_execute, grant_roles};
use auroraml_core::sql::quote;
use auroraml_core::sql::records::Records;
use auroraml_core::sql::tokens::{Token, same, tokens};
use auroraml_core::sql::types::{SqlType, names};
use proptest::prelude::*;

fn any_type() -> impl Strategy<Value = String> {
    let all: Vec<&'static str> = names().collect();
    (prop::sample::select(all), 1..60_u32, any::<bool>()).prop_map(|(name, size, sized)| {
        let takes =
            ["char", "varchar", "binary", "varbinary", "bit", "decimal", "int", "bigint"].contains(&name);
        if name.starts_with("var") || takes && sized { format!("{name}({size})") } else { name.to_owned() }
    })
}

fn any_calls() -> impl Strategy<Value = Calls> {
    prop_oneof![
        (".{1,20}", 1..20_000_u32)
            .prop_map(|(endpoint, max_batch_size)| Calls::Sagemaker { endpoint, max_batch_size }),
        (".{1,20}", ".{1,20}", ".{1,20}", prop::option::of(1..100_000_u32)).prop_map(
            |(model, content_type, accept, timeout_ms)| Calls::Bedrock {
                model,
                content_type,
                accept,
                timeout_ms
            }
        ),
        (
            ".{0,20}",
            prop::sample::select(vec!["IF(a = 'no', 1, 0)", "1.5", "a + b", "(SELECT COUNT(*) FROM t)"])
        )
            .prop_map(|(comment, sql)| Calls::Expression { sql: sql.to_owned(), comment }),
    ]
}

fn any_function() -> impl Strategy<Value = Function> {
    let arguments = prop::collection::vec(("[^\u{0}]{1,12}", any_type()), 0..5);
    ("[^\u{0}]{1,12}", arguments, any_type(), any_calls()).prop_map(|(name, arguments, returns, calls)| {
        let of = |text: &str| SqlType::parse(text).unwrap();
        let arguments = arguments.into_iter().map(|(name, text)| (name, of(&text))).collect();
        Function { name, arguments, returns: of(&returns), calls }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(800))]

    #[test]
    fn what_is_quoted_stays_one_token(text in ".{0,40}") {
        for quoted in [quote::text(&text), quote::escaped(&text)] {
            prop_assert_eq!(tokens(&quoted).unwrap(), [Token::Text(text.clone())]);
        }
        prop_assert_eq!(tokens(&quote::name(&text)).unwrap(), [Token::Name(text)]);
    }

    #[test]
    fn nothing_panics(text in ".{0,80}", noise in "[a-z`'\"(),;.@=*/# -]{0,60}") {
        for text in [text, noise] {
            let _ = tokens(&text);
            let _ = SqlType::parse(&text);
            let _ = Function::parse(&format!("CREATE FUNCTION {text}"));
            let _ = Granted::parse([format!("GRANT {text}").as_str()]);
            prop_assert!(same(&text, &text));
        }
    }

    /// What a statement makes is what is read of it, and no difference.
    #[test]
    fn a_function_is_as_it_was_made(function in any_function()) {
        let read = Function::parse(&function.create("d`b")).unwrap();
        prop_assert_eq!(&read, &function);
        let value = |function: &Function| serde_json::to_value(Props::of(function, "d")).unwrap();
        let (mut want, live) = (value(&function), value(&read));
        (SqlFunction::RULES.accept)(&mut want, &live);
        prop_assert!(diff(&want, &live).is_empty());
    }

    #[test]
    fn what_is_granted_is_read_back(user in ".{1,20}", database in ".{1,20}", function in ".{1,20}") {
        let made = [grant_execute(&database, &function, &user, "%"), grant_roles(&["AWS_LOAD_S3_ACCESS"], &user, "%")];
        let granted = Granted::parse(made.iter().map(String::as_str)).unwrap();
        prop_assert!(granted.may_call(&database, &function) && granted.roles.contains("AWS_LOAD_S3_ACCESS"));
    }

    /// However the bytes arrive, the records are as many.
    #[test]
    fn records_are_counted_in_any_pieces(rows in prop::collection::vec("[a-z\n\",]{0,12}", 0..20), size in 1..9_usize) {
        let csv: String = rows.iter().map(|row| format!("\"{}\",1\n", row.replace('"', "\"\""))).collect();
        let mut records = Records::default();
        csv.as_bytes().chunks(size).for_each(|part| records.take(part));
        prop_assert_eq!(records.count(), rows.len() as u64);
    }
}
