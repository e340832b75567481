//! Names of Aurora MySQL's parameters: data, as of November 2026, after the AWS guide's reference of them.

use crate::engine::Parameters;

pub const PARAMETERS: Parameters = Parameters {
    in_every_family: ANY,
    only_in: &[("aurora-mysql8.0", ONLY_8_0), ("aurora-mysql8.4", ONLY_8_4)],
    fixed: FIXED,
    replaced: REPLACED,
    replaced_roles: &[("aurora_load_from_s3_role", "s3"), ("aurora_select_into_s3_role", "s3")],
};

/// In both families.
#[rustfmt::skip]
const ANY: &[&str] = &[
    "activate_all_roles_on_login", "aurora_binlog_replication_max_yield_seconds",
    "aurora_binlog_replication_sec_index_parallel_workers", "aurora_enable_staggered_replica_restart",
    "aurora_enable_zdr", "aurora_enhanced_binlog", "aurora_full_double_precision_in_json",
    "aurora_fwd_writer_idle_timeout", "aurora_fwd_writer_max_connections_pct", "aurora_in_memory_relaylog",
    "aurora_jemalloc_background_thread", "aurora_jemalloc_dirty_decay_ms", "aurora_jemalloc_tcache_enabled",
    "aurora_mask_password_hashes_type", "aurora_max_partitions_for_range", "aurora_ml_inference_timeout",
    "aurora_oom_response", "aurora_parallel_query", "aurora_read_replica_read_committed",
    "aurora_replica_read_consistency", "aurora_tmptable_enable_per_table_limit",
    "aurora_use_vector_instructions", "auto_generate_certs", "auto_increment_increment",
    "auto_increment_offset", "autocommit", "automatic_sp_privileges", "aws_default_lambda_role", "back_log",
    "binlog-do-db", "binlog-ignore-db", "binlog_backup", "binlog_cache_size", "binlog_checksum",
    "binlog_error_action", "binlog_expire_logs_seconds", "binlog_format", "binlog_group_commit_sync_delay",
    "binlog_group_commit_sync_no_delay_count", "binlog_max_flush_queue_time", "binlog_order_commits",
    "binlog_replication_globaldb", "binlog_row_event_max_size", "binlog_row_metadata",
    "binlog_row_value_options", "binlog_rows_query_log_events", "binlog_stmt_cache_size",
    "binlog_transaction_compression", "binlog_transaction_compression_level_zstd",
    "binlog_transaction_dependency_history_size", "bulk_insert_buffer_size",
    "caching_sha2_password_auto_generate_rsa_keys", "caching_sha2_password_digest_rounds",
    "character_set_client", "character_set_connection", "character_set_database",
    "character_set_filesystem", "character_set_results", "character_set_server", "check_proxy_users",
    "collation_connection", "collation_server", "completion_type", "concurrent_insert", "connect_timeout",
    "connection_memory_chunk_size", "connection_memory_limit", "cte_max_recursion_depth",
    "default_collation_for_utf8mb4", "default_password_lifetime", "default_table_encryption",
    "default_tmp_storage_engine", "default_week_format", "delay_key_write", "delayed_insert_limit",
    "delayed_insert_timeout", "delayed_queue_size", "disconnect_on_expired_password",
    "div_precision_increment", "end_markers_in_json", "enforce_gtid_consistency",
    "eq_range_index_dive_limit", "event_scheduler", "explicit_defaults_for_timestamp", "flush_time",
    "ft_max_word_len", "ft_min_word_len", "ft_query_expansion_limit", "ft_stopword_file", "general_log",
    "generated_random_password_length", "global_connection_memory_limit",
    "global_connection_memory_tracking", "group_concat_max_len", "gtid-mode",
    "histogram_generation_max_mem_size", "information_schema_stats_expiry", "init_connect",
    "innodb_adaptive_hash_index", "innodb_adaptive_hash_index_parts", "innodb_adaptive_max_sleep_delay",
    "innodb_autoextend_increment", "innodb_autoinc_lock_mode", "innodb_buffer_pool_size",
    "innodb_cmp_per_index_enabled", "innodb_commit_concurrency", "innodb_compression_failure_threshold_pct",
    "innodb_compression_level", "innodb_compression_pad_pct_max", "innodb_concurrency_tickets",
    "innodb_ddl_buffer_size", "innodb_ddl_threads", "innodb_deadlock_detect", "innodb_default_row_format",
    "innodb_extend_and_initialize", "innodb_file_per_table", "innodb_ft_aux_table", "innodb_ft_cache_size",
    "innodb_ft_enable_diag_print", "innodb_ft_enable_stopword", "innodb_ft_max_token_size",
    "innodb_ft_min_token_size", "innodb_ft_num_word_optimize", "innodb_ft_result_cache_limit",
    "innodb_ft_server_stopword_table", "innodb_ft_sort_pll_degree", "innodb_ft_total_cache_size",
    "innodb_ft_user_stopword_table", "innodb_lock_wait_timeout", "innodb_lru_scan_depth",
    "innodb_max_purge_lag", "innodb_max_purge_lag_delay", "innodb_monitor_disable", "innodb_monitor_enable",
    "innodb_monitor_reset", "innodb_monitor_reset_all", "innodb_old_blocks_pct", "innodb_old_blocks_time",
    "innodb_online_alter_log_max_size", "innodb_open_files", "innodb_optimize_fulltext_only",
    "innodb_parallel_read_threads", "innodb_print_all_deadlocks", "innodb_print_ddl_logs",
    "innodb_purge_batch_size", "innodb_purge_threads", "innodb_random_read_ahead",
    "innodb_read_ahead_threshold", "innodb_replication_delay", "innodb_rollback_on_timeout",
    "innodb_rollback_segments", "innodb_segment_reserve_factor", "innodb_sort_buffer_size",
    "innodb_spin_wait_delay", "innodb_spin_wait_pause_multiplier", "innodb_stats_auto_recalc",
    "innodb_stats_include_delete_marked", "innodb_stats_method", "innodb_stats_on_metadata",
    "innodb_stats_persistent", "innodb_stats_persistent_sample_pages",
    "innodb_stats_transient_sample_pages", "innodb_status_output", "innodb_status_output_locks",
    "innodb_strict_mode", "innodb_sync_array_size", "innodb_sync_spin_loops", "innodb_table_locks",
    "innodb_thread_sleep_delay", "innodb_use_fdatasync", "interactive_timeout",
    "internal_tmp_mem_storage_engine", "join_buffer_size", "keep_files_on_create", "key_buffer_size",
    "key_cache_age_threshold", "key_cache_block_size", "key_cache_division_limit", "lc_time_names",
    "local_infile", "lock_wait_timeout", "log_bin_trust_function_creators", "log_error_suppression_list",
    "log_error_verbosity", "log_output", "log_queries_not_using_indexes", "log_raw",
    "log_slow_admin_statements", "log_slow_extra", "log_slow_replica_statements",
    "log_statements_unsafe_for_binlog", "log_throttle_queries_not_using_indexes", "long_query_time",
    "low_priority_updates", "lower_case_table_names", "mandatory_roles", "max_allowed_packet",
    "max_binlog_cache_size", "max_binlog_stmt_cache_size", "max_connect_errors", "max_connections",
    "max_delayed_threads", "max_digest_length", "max_error_count", "max_execution_time",
    "max_heap_table_size", "max_insert_delayed_threads", "max_join_size", "max_points_in_geometry",
    "max_prepared_stmt_count", "max_seeks_for_key", "max_sort_length", "max_sp_recursion_depth",
    "max_user_connections", "max_write_lock_count", "min_examined_row_limit", "myisam_data_pointer_size",
    "myisam_max_sort_file_size", "myisam_mmap_size", "myisam_sort_buffer_size", "myisam_stats_method",
    "myisam_use_mmap", "net_buffer_length", "net_read_timeout", "net_retry_count", "net_write_timeout",
    "ngram_token_size", "offline_mode", "old-style-user-limits", "optimizer_prune_level",
    "optimizer_search_depth", "optimizer_switch", "optimizer_trace", "optimizer_trace_features",
    "optimizer_trace_limit", "optimizer_trace_max_mem_size", "optimizer_trace_offset", "password_history",
    "password_require_current", "password_reuse_interval",
    "performance-schema-consumer-events-waits-current", "performance-schema-instrument",
    "performance_schema", "performance_schema_accounts_size",
    "performance_schema_consumer_events_stages_current",
    "performance_schema_consumer_events_stages_history",
    "performance_schema_consumer_events_stages_history_long",
    "performance_schema_consumer_events_statements_current",
    "performance_schema_consumer_events_statements_history",
    "performance_schema_consumer_events_statements_history_long",
    "performance_schema_consumer_events_waits_history",
    "performance_schema_consumer_events_waits_history_long",
    "performance_schema_consumer_global_instrumentation", "performance_schema_consumer_statements_digest",
    "performance_schema_consumer_thread_instrumentation", "performance_schema_digests_size",
    "performance_schema_error_size", "performance_schema_events_stages_history_long_size",
    "performance_schema_events_stages_history_size",
    "performance_schema_events_statements_history_long_size",
    "performance_schema_events_statements_history_size",
    "performance_schema_events_transactions_history_long_size",
    "performance_schema_events_transactions_history_size",
    "performance_schema_events_waits_history_long_size", "performance_schema_events_waits_history_size",
    "performance_schema_hosts_size", "performance_schema_max_cond_classes",
    "performance_schema_max_cond_instances", "performance_schema_max_digest_length",
    "performance_schema_max_digest_sample_age", "performance_schema_max_file_classes",
    "performance_schema_max_file_handles", "performance_schema_max_file_instances",
    "performance_schema_max_index_stat", "performance_schema_max_memory_classes",
    "performance_schema_max_metadata_locks", "performance_schema_max_mutex_classes",
    "performance_schema_max_mutex_instances", "performance_schema_max_prepared_statements_instances",
    "performance_schema_max_program_instances", "performance_schema_max_rwlock_classes",
    "performance_schema_max_rwlock_instances", "performance_schema_max_socket_classes",
    "performance_schema_max_socket_instances", "performance_schema_max_sql_text_length",
    "performance_schema_max_stage_classes", "performance_schema_max_statement_classes",
    "performance_schema_max_statement_stack", "performance_schema_max_table_handles",
    "performance_schema_max_table_instances", "performance_schema_max_table_lock_stat",
    "performance_schema_max_thread_classes", "performance_schema_max_thread_instances",
    "performance_schema_session_connect_attrs_size", "performance_schema_setup_actors_size",
    "performance_schema_setup_objects_size", "performance_schema_show_processlist",
    "performance_schema_users_size", "preload_buffer_size", "print_identified_with_as_hex",
    "profiling_history_size", "query_alloc_block_size", "query_prealloc_size", "range_alloc_block_size",
    "range_optimizer_max_mem_size", "read_buffer_size", "read_only", "read_rnd_buffer_size",
    "regexp_stack_limit", "regexp_time_limit", "relay-log-space-limit", "replica_checkpoint_group",
    "replica_checkpoint_period", "replica_compressed_protocol", "replica_exec_mode",
    "replica_max_allowed_packet", "replica_net_timeout", "replica_parallel_type",
    "replica_parallel_workers", "replica_pending_jobs_size_max", "replica_preserve_commit_order",
    "replica_skip_errors", "replica_sql_verify_checksum", "replica_transaction_retries",
    "replica_type_conversions", "replicate-do-db", "replicate-do-table", "replicate-ignore-db",
    "replicate-ignore-table", "replicate-wild-do-table", "replicate-wild-ignore-table",
    "require_secure_transport", "rpl_read_size", "safe-user-create", "schema_definition_cache",
    "select_into_buffer_size", "select_into_disk_sync", "select_into_disk_sync_delay",
    "server_audit_events", "server_audit_excl_users", "server_audit_incl_users", "server_audit_logging",
    "server_audit_logs_upload", "session_track_gtids", "session_track_schema", "session_track_state_change",
    "session_track_system_variables", "session_track_transaction_info",
    "skip-character-set-client-handshake", "skip_show_database", "slow_launch_time", "slow_query_log",
    "sort_buffer_size", "source_verify_checksum", "sql_mode", "sql_require_primary_key", "sql_select_limit",
    "ssl_cipher", "stored_program_cache", "stored_program_definition_cache", "super_read_only",
    "sync_source_info", "sysdate-is-now", "table_definition_cache", "table_open_cache",
    "table_open_cache_instances", "tablespace_definition_cache", "temptable_max_mmap", "temptable_max_ram",
    "temptable_use_mmap", "thread_stack", "time_zone", "tls_ciphersuites", "tls_version", "tmp_table_size",
    "transaction_alloc_block_size", "transaction_isolation", "transaction_prealloc_size",
    "updatable_views_with_limit", "wait_timeout", "windowing_use_high_precision", "xa_detach_on_prepare",
];

/// Only in `aurora-mysql8.0`.
#[rustfmt::skip]
const ONLY_8_0: &[&str] = &[
    "aurora_fwd_master_idle_timeout", "aurora_fwd_master_max_connections_pct",
    "binlog_transaction_dependency_tracking", "character-set-client-handshake", "expire_logs_days", "new",
    "old", "sync_relay_log_info", "timed_mutexes", "transaction_write_set_extraction",
];

/// Only in `aurora-mysql8.4` (fact book, section 1.1).
#[rustfmt::skip]
const ONLY_8_4: &[&str] = &[
    "aurora_enable_memory_management", "authentication_policy", "explain_json_format_version",
    "restrict_fk_on_non_standard_key", "set_operations_buffer_size", "tls_certificates_enforced_validation",
];

/// Known, but AWS does not let anyone change them on Aurora MySQL.
#[rustfmt::skip]
const FIXED: &[&str] = &[
    "allow-suspicious-udfs", "basedir", "big_tables", "bind_address", "binlog_row_image",
    "character_sets_dir", "core-file", "datadir", "default_authentication_plugin", "default_storage_engine",
    "default_time_zone", "flush", "ft_boolean_syntax", "general_log_file", "innodb_adaptive_flushing",
    "innodb_adaptive_flushing_lwm", "innodb_buffer_pool_chunk_size", "innodb_buffer_pool_dump_at_shutdown",
    "innodb_buffer_pool_dump_now", "innodb_buffer_pool_filename", "innodb_buffer_pool_instances",
    "innodb_buffer_pool_load_abort", "innodb_buffer_pool_load_at_startup", "innodb_buffer_pool_load_now",
    "innodb_change_buffer_max_size", "innodb_change_buffering", "innodb_checksum_algorithm",
    "innodb_data_file_path", "innodb_data_home_dir", "innodb_dedicated_server", "innodb_doublewrite",
    "innodb_flush_log_at_timeout", "innodb_flush_log_at_trx_commit", "innodb_flush_method",
    "innodb_flush_neighbors", "innodb_flushing_avg_loops", "innodb_force_load_corrupted",
    "innodb_io_capacity", "innodb_io_capacity_max", "innodb_log_buffer_size", "innodb_log_compressed_pages",
    "innodb_log_file_size", "innodb_log_files_in_group", "innodb_log_spin_cpu_abs_lwm",
    "innodb_log_spin_cpu_pct_hwm", "innodb_max_dirty_pages_pct", "innodb_numa_interleave",
    "innodb_page_size", "innodb_read_io_threads", "innodb_read_only", "innodb_redo_log_capacity",
    "innodb_redo_log_encrypt", "innodb_thread_concurrency", "innodb_undo_directory",
    "innodb_undo_log_encrypt", "innodb_undo_log_truncate", "innodb_use_native_aio",
    "innodb_write_io_threads", "log-bin", "log_error", "log_replica_updates", "max_binlog_size",
    "partial_revokes", "pid_file", "plugin_dir", "port", "relay-log", "relay_log_recovery",
    "secure_file_priv", "server_id", "skip-slave-start", "skip_external_locking", "skip_name_resolve",
    "slow_query_log_file", "socket", "sync_binlog", "table_cache_element_entry_ttl", "thread_cache_size",
    "thread_handling", "tmpdir", "validate-password", "validate_password_dictionary_file",
    "validate_password_length", "validate_password_mixed_case_count", "validate_password_number_count",
    "validate_password_policy", "validate_password_special_char_count",
];

/// Of older families, and what took their place; empty if nothing did.
const REPLACED: &[(&str, &str)] = &[
    ("aurora_binlog_read_buffer_size", ""),
    ("aurora_binlog_use_large_read_buffer", ""),
    ("aurora_disable_hash_join", "optimizer_switch"),
    ("aurora_enable_repl_bin_log_filtering", ""),
    ("aurora_enable_replica_log_compression", ""),
    ("aurora_lab_mode", ""),
    ("aurora_pq", "aurora_parallel_query"),
    ("aws_default_logs_role", ""),
    ("expire_logs_days", "binlog_expire_logs_seconds"),
    ("innodb_checksums", ""),
    ("innodb_file_format", ""),
    ("innodb_large_prefix", ""),
    ("innodb_support_xa", ""),
    ("innodb_undo_logs", ""),
    ("innodb_undo_tablespaces", ""),
    ("internal_tmp_disk_storage_engine", "internal_tmp_mem_storage_engine"),
    ("log_bin_use_v1_row_events", ""),
    ("log_slave_updates", ""),
    ("log_slow_slave_statements", "log_slow_replica_statements"),
    ("log_warnings", "log_error_verbosity"),
    ("master-info-repository", ""),
    ("master_verify_checksum", "source_verify_checksum"),
    ("max_length_for_sort_data", ""),
    ("max_tmp_tables", ""),
    ("metadata_locks_cache_size", ""),
    ("old_passwords", ""),
    ("query_cache_limit", ""),
    ("query_cache_min_res_unit", ""),
    ("query_cache_size", ""),
    ("query_cache_type", ""),
    ("query_cache_wlock_invalidate", ""),
    ("relay_log_info_repository", ""),
    ("secure_auth", ""),
    ("slave-skip-errors", "replica_skip_errors"),
    ("slave_checkpoint_group", "replica_checkpoint_group"),
    ("slave_checkpoint_period", "replica_checkpoint_period"),
    ("slave_net_timeout", "replica_net_timeout"),
    ("slave_parallel_workers", "replica_parallel_workers"),
    ("slave_pending_jobs_size_max", "replica_pending_jobs_size_max"),
    ("slave_sql_verify_checksum", "replica_sql_verify_checksum"),
    ("sync_frm", ""),
    ("sync_master_info", "sync_source_info"),
    ("sync_relay_log", ""),
    ("temp-pool", ""),
    ("tx_isolation", "transaction_isolation"),
    ("tx_read_only", ""),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_in_one_list() {
        let lists = [ANY, ONLY_8_0, ONLY_8_4, FIXED];
        let all: Vec<&str> = lists.into_iter().flatten().copied().collect();
        for (n, name) in all.iter().enumerate() {
            assert!(!all[..n].contains(name), "{name} is there twice");
            assert!(
                !REPLACED.iter().any(|(old, _)| old == name && ANY.contains(old)),
                "{name} is also removed"
            );
        }
    }

    #[test]
    fn a_replacement_exists() {
        for (old, new) in REPLACED {
            let known = [ANY, ONLY_8_0, ONLY_8_4].into_iter().flatten().any(|name| name == new);
            assert!(new.is_empty() || known, "{old} -> {new}");
        }
    }
}
